// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows of a matrix in parts, within which rows make up for each other's errors.
#ifndef CIM_LIB_CALIBRATION_ROWPARTS_H
#define CIM_LIB_CALIBRATION_ROWPARTS_H

#include <algorithm>
#include <cstdint>

namespace cim {

/// As few parts as there can be, all but the last of one size.
struct RowParts {
  /// Rows of a part at most: the moments of more cost more than they bring.
  static constexpr int64_t most = 1152;

  int64_t rows, count, size;

  explicit RowParts(int64_t rows)
      : rows(rows), count((rows + most - 1) / most),
        size((rows + count - 1) / count) {}

  int64_t begin(int64_t part) const { return part * size; }
  int64_t length(int64_t part) const {
    return std::min(size, rows - begin(part));
  }
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_ROWPARTS_H
