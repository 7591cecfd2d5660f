// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shelf packing of rectangles into arrays.
#include "Packing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <optional>

using namespace cim;

int64_t Rectangle::columns() const {
  int64_t sum = 0;
  for (int64_t part : parts)
    sum += part;
  return sum;
}

namespace {

/// A strip of an array, as high as its first rectangle.
struct Shelf {
  int64_t array, row, rows, usedColumns;
};

class ShelfPacker {
public:
  ShelfPacker(int64_t rows, int64_t columns, Packing &packing)
      : rows(rows), columns(columns), packing(packing) {}

  void place(size_t index, const Rectangle &rectangle, Cuts cuts) {
    int64_t height = rectangle.rows, width = rectangle.columns();
    Shelf *shelf = findShelf(height, width);
    if (!shelf)
      shelf = openShelf(height, /*mayAddArray=*/cuts == Cuts::None);
    if (shelf)
      return put(shelf, index, 0, width);
    int64_t first = 0;
    for (int64_t part : rectangle.parts) {
      placePart(index, height, first, part, cuts == Cuts::Parts);
      first += part;
    }
  }

private:
  void placePart(size_t index, int64_t height, int64_t first, int64_t width,
                 bool cut) {
    for (int64_t done = 0; done < width;) {
      int64_t rest = width - done;
      Shelf *shelf = findShelf(height, cut ? 1 : rest);
      if (!shelf)
        shelf = openShelf(height, /*mayAddArray=*/true);
      int64_t taken = std::min(rest, columns - shelf->usedColumns);
      put(shelf, index, first + done, taken);
      done += taken;
    }
  }

  Shelf *findShelf(int64_t height, int64_t width) {
    auto *shelf = llvm::find_if(shelves, [&](const Shelf &shelf) {
      return shelf.rows >= height && columns - shelf.usedColumns >= width;
    });
    return shelf == shelves.end() ? nullptr : shelf;
  }

  /// Null when no array has room and none may be added.
  Shelf *openShelf(int64_t height, bool mayAddArray) {
    auto *array = llvm::find_if(
        usedRows, [&](int64_t used) { return rows - used >= height; });
    if (array == usedRows.end()) {
      if (!mayAddArray)
        return nullptr;
      usedRows.push_back(0);
      array = std::prev(usedRows.end());
      ++packing.arrays;
    }
    shelves.push_back({array - usedRows.begin(), *array, height, 0});
    *array += height;
    return std::prev(shelves.end());
  }

  void put(Shelf *shelf, size_t index, int64_t first, int64_t width) {
    packing.pieces.push_back(
        {index, first, width, shelf->array, shelf->row, shelf->usedColumns});
    shelf->usedColumns += width;
  }

  int64_t rows, columns;
  Packing &packing;
  llvm::SmallVector<Shelf> shelves;
  llvm::SmallVector<int64_t> usedRows; // of each array
};

} // namespace

Packing cim::packShelves(llvm::ArrayRef<Rectangle> rectangles, int64_t rows,
                         int64_t columns, Cuts cuts) {
  llvm::SmallVector<size_t> order =
      llvm::to_vector(llvm::seq<size_t>(0, rectangles.size()));
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::pair(-rectangles[a].rows, a) <
           std::pair(-rectangles[b].rows, b);
  });
  Packing packing;
  ShelfPacker packer(rows, columns, packing);
  for (size_t i : order)
    packer.place(i, rectangles[i], cuts);
  llvm::sort(packing.pieces, [](const Piece &a, const Piece &b) {
    return std::pair(a.rectangle, a.first) < std::pair(b.rectangle, b.first);
  });
  return packing;
}

int64_t cim::areaLowerBound(llvm::ArrayRef<Rectangle> rectangles, int64_t rows,
                            int64_t columns) {
  int64_t cells = 0;
  for (const Rectangle &rectangle : rectangles)
    cells += rectangle.rows * rectangle.columns();
  return llvm::divideCeil(cells, rows * columns);
}
