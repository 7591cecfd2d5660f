// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packing rectangles into arrays of one size.
#ifndef CIM_LIB_DIALECT_CIM_TRANSFORMS_PACKING_H
#define CIM_LIB_DIALECT_CIM_TRANSFORMS_PACKING_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace cim {

/// Parts of one height that belong side by side; no part is larger than an
/// array, and neither is their sum.
struct Rectangle {
  int64_t rows = 0;
  llvm::SmallVector<int64_t, 4> parts; ///< columns of each
  int64_t columns() const;
};

/// Columns [first, first + columns) of a rectangle, and where they lie.
struct Piece {
  size_t rectangle = 0;
  int64_t first = 0, columns = 0;
  int64_t array = 0, row = 0, column = 0;
};

struct Packing {
  /// In the order of rectangles and of their columns.
  llvm::SmallVector<Piece> pieces;
  int64_t arrays = 0;
};

/// What may be taken apart to save an array.
enum class Cuts {
  None,
  Rectangles, ///< between parts
  Parts       ///< between any columns
};

/// Shelf packing, tallest rectangle first, first shelf that fits. What may be
/// cut is, where it would need a new array as a whole. Deterministic: ties
/// keep the given order.
Packing packShelves(llvm::ArrayRef<Rectangle> rectangles, int64_t rows,
                    int64_t columns, Cuts cuts);

/// Arrays that any packing needs: the area of the rectangles over that of an
/// array.
int64_t areaLowerBound(llvm::ArrayRef<Rectangle> rectangles, int64_t rows,
                       int64_t columns);

} // namespace cim

#endif // CIM_LIB_DIALECT_CIM_TRANSFORMS_PACKING_H
