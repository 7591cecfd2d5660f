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

class ShelfPacker {
public:
  ShelfPacker(int64_t rows, int64_t columns) : rows(rows), columns(columns) {}

  /// Places columns of a rectangle `height` high; with `cut` maybe not all.
  /// Returns the piece without `rectangle` and `first`.
  Piece place(int64_t height, int64_t width, bool cut) {
    auto *shelf = llvm::find_if(shelves, [&](const Shelf &shelf) {
      int64_t room = columns - shelf.usedColumns;
      return shelf.rows >= height && (room >= width || (cut && room > 0));
    });
    if (shelf == shelves.end())
      shelf = openShelf(height);
    int64_t taken = std::min(width, columns - shelf->usedColumns);
    Piece piece{0, 0, taken, shelf->array, shelf->row, shelf->usedColumns};
    shelf->usedColumns += taken;
    return piece;
  }

  int64_t arrays() const { return usedRows.size(); }

private:
  Shelf *openShelf(int64_t height) {
    auto *array = llvm::find_if(
        usedRows, [&](int64_t used) { return rows - used >= height; });
    if (array == usedRows.end()) {
      usedRows.push_back(0);
      array = std::prev(usedRows.end());
    }
    shelves.push_back({array - usedRows.begin(), *array, height, 0});
    *array += height;
    return std::prev(shelves.end());
  }

  int64_t rows, columns;
  llvm::SmallVector<Shelf> shelves;
  llvm::SmallVector<int64_t> usedRows; // of each array
};

} // namespace

Packing cim::packShelves(llvm::ArrayRef<Rectangle> rectangles, int64_t rows,
                         int64_t columns, bool cut) {
  llvm::SmallVector<size_t> order =
      llvm::to_vector(llvm::seq<size_t>(0, rectangles.size()));
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::pair(-rectangles[a].rows, a) <
           std::pair(-rectangles[b].rows, b);
  });
  Packing packing;
  ShelfPacker packer(rows, columns);
  for (size_t i : order)
    for (int64_t done = 0; done < rectangles[i].columns;) {
      Piece piece =
          packer.place(rectangles[i].rows, rectangles[i].columns - done, cut);
      piece.rectangle = i;
      piece.first = done;
      done += piece.columns;
      packing.pieces.push_back(piece);
    }
  llvm::sort(packing.pieces, [](const Piece &a, const Piece &b) {
    return std::pair(a.rectangle, a.first) < std::pair(b.rectangle, b.first);
  });
  packing.arrays = packer.arrays();
  return packing;
}

int64_t cim::areaLowerBound(llvm::ArrayRef<Rectangle> rectangles, int64_t rows,
                            int64_t columns) {
  int64_t cells = 0;
  for (const Rectangle &rectangle : rectangles)
    cells += rectangle.rows * rectangle.columns;
  return llvm::divideCeil(cells, rows * columns);
}
