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

struct Place {
  int64_t array = 0, row = 0, column = 0;
};

struct Packing {
  llvm::SmallVector<Place> places; // one per rectangle
  int64_t arrays = 0;
};

/// Shelf packing, tallest rectangle first, first shelf that fits. No rectangle
/// is larger than an array. Deterministic: ties keep the given order.
Packing packShelves(llvm::ArrayRef<Rectangle> rectangles, int64_t rows,
                    int64_t columns);

/// Arrays that any packing needs: the area of the rectangles over that of an
/// array.
int64_t areaLowerBound(llvm::ArrayRef<Rectangle> rectangles, int64_t rows,
                       int64_t columns);

} // namespace cim

#endif // CIM_LIB_DIALECT_CIM_TRANSFORMS_PACKING_H
