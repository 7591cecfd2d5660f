// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How an integer matrix becomes planes of cells: docs/Numerics.md section 2.
#ifndef CIM_DIALECT_CIM_TRANSFORMS_SPLITWEIGHTS_H
#define CIM_DIALECT_CIM_TRANSFORMS_SPLITWEIGHTS_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace cim {

/// `digits` is cells x rows x columns; `significance` has one row of `columns`
/// for every plane with a result of its own.
struct Planes {
  int64_t cells = 0;
  std::vector<int8_t> digits;
  std::vector<float> significance;
};

/// Balanced digits of base 2 `limit` + 1, as many as magnitudes up to `levels`
/// need.
Planes splitRadix(llvm::ArrayRef<int8_t> weights, int64_t columns,
                  int64_t levels, int64_t limit);

/// Cells that add up to the weight, the first ones full.
Planes splitUnary(llvm::ArrayRef<int8_t> weights, int64_t columns,
                  int64_t levels, int64_t limit);

/// `cells` ternary planes, each the best approximation, with one real scale per
/// column, of what its predecessors leave over.
Planes splitResidual(llvm::ArrayRef<int8_t> weights, int64_t columns,
                     int64_t cells);

} // namespace cim

#endif // CIM_DIALECT_CIM_TRANSFORMS_SPLITWEIGHTS_H
