// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shelf packing of rectangles into arrays.
#include "Packing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace cim;

namespace {

/// A strip of an array, as high as its first rectangle.
struct Shelf {
  int64_t array, row, rows, usedColumns;
};

} // namespace

Packing cim::packShelves(llvm::ArrayRef<Rectangle> rectangles, int64_t rows,
                         int64_t columns) {
  llvm::SmallVector<size_t> order =
      llvm::to_vector(llvm::seq<size_t>(0, rectangles.size()));
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::pair(-rectangles[a].rows, a) <
           std::pair(-rectangles[b].rows, b);
  });
  Packing packing;
  packing.places.resize(rectangles.size());
  llvm::SmallVector<Shelf> shelves;
  llvm::SmallVector<int64_t> usedRows; // of each array
  for (size_t i : order) {
    const Rectangle &rectangle = rectangles[i];
    auto *shelf = llvm::find_if(shelves, [&](const Shelf &shelf) {
      return shelf.rows >= rectangle.rows &&
             columns - shelf.usedColumns >= rectangle.columns;
    });
    if (shelf == shelves.end()) {
      auto *array = llvm::find_if(usedRows, [&](int64_t used) {
        return rows - used >= rectangle.rows;
      });
      if (array == usedRows.end()) {
        usedRows.push_back(0);
        array = std::prev(usedRows.end());
      }
      shelves.push_back({array - usedRows.begin(), *array, rectangle.rows, 0});
      *array += rectangle.rows;
      shelf = std::prev(shelves.end());
    }
    packing.places[i] = {shelf->array, shelf->row, shelf->usedColumns};
    shelf->usedColumns += rectangle.columns;
  }
  packing.arrays = usedRows.size();
  return packing;
}

int64_t cim::areaLowerBound(llvm::ArrayRef<Rectangle> rectangles, int64_t rows,
                            int64_t columns) {
  int64_t cells = 0;
  for (const Rectangle &rectangle : rectangles)
    cells += rectangle.rows * rectangle.columns;
  return llvm::divideCeil(cells, rows * columns);
}
