// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How an integer matrix becomes planes of cells: docs/Numerics.md section 2.
// Cells hold -limit to limit.
#ifndef CIM_DIALECT_CIM_TRANSFORMS_SPLITWEIGHTS_H
#define CIM_DIALECT_CIM_TRANSFORMS_SPLITWEIGHTS_H

#include "cim/Dialect/CIM/IR/Splits.h"
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

/// Planes that add up to the weights, as many as magnitudes up to `levels`
/// need. `groupRows` are the rows of one group. Not for `auto` and `residual`.
Planes splitExactly(Split split, llvm::ArrayRef<int8_t> weights,
                    int64_t groupRows, int64_t columns, int64_t levels,
                    int64_t limit);

/// `cells` ternary planes, each the best approximation, with one real scale per
/// column, of what its predecessors leave over.
Planes splitResidual(llvm::ArrayRef<int8_t> weights, int64_t columns,
                     int64_t cells);

} // namespace cim

#endif // CIM_DIALECT_CIM_TRANSFORMS_SPLITWEIGHTS_H
