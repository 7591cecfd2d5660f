// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packing rectangles into arrays of one size.
#ifndef CIM_LIB_DIALECT_CIM_TRANSFORMS_PACKING_H
#define CIM_LIB_DIALECT_CIM_TRANSFORMS_PACKING_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace cim {

struct Rectangle {
  int64_t rows = 0, columns = 0;
};

/// Columns [first, first + columns) of a rectangle, and where they lie.
struct Piece {
  size_t rectangle = 0;
  int64_t first = 0, columns = 0;
  int64_t array = 0, row = 0, column = 0;
};

struct Packing {
  /// In the order of rectangles and of their columns; one piece each unless
  /// they were cut.
  llvm::SmallVector<Piece> pieces;
  int64_t arrays = 0;
};

/// Shelf packing, tallest rectangle first, first shelf that fits. With `cut` a
/// shelf takes as many columns as it has room for. No rectangle is larger than
/// an array. Deterministic: ties keep the given order.
Packing packShelves(llvm::ArrayRef<Rectangle> rectangles, int64_t rows,
                    int64_t columns, bool cut);

/// Arrays that any packing needs: the area of the rectangles over that of an
/// array.
int64_t areaLowerBound(llvm::ArrayRef<Rectangle> rectangles, int64_t rows,
                       int64_t columns);

} // namespace cim

#endif // CIM_LIB_DIALECT_CIM_TRANSFORMS_PACKING_H
