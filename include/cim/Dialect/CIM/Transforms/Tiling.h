// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a matrix is cut into rectangles that fit into an array
// (docs/Numerics.md section 2).
#ifndef CIM_DIALECT_CIM_TRANSFORMS_TILING_H
#define CIM_DIALECT_CIM_TRANSFORMS_TILING_H

#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace cim {

/// Matrix rows [k, k + kCount) and columns [n, n + nCount).
struct MatrixTile {
  int64_t k = 0, kCount = 0, n = 0, nCount = 0;
};

/// Tiles of a `rows` x `columns` matrix with `groups` diagonal blocks for
/// arrays that take `height` >= 1 matrix rows and `width` >= 1 columns.
llvm::SmallVector<MatrixTile> tileMatrix(int64_t rows, int64_t columns,
                                         int64_t groups, int64_t height,
                                         int64_t width);

} // namespace cim

#endif // CIM_DIALECT_CIM_TRANSFORMS_TILING_H
