// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A matrix whose integers calibration chooses, and ways to write it.
#include "OpenMatrix.h"

namespace cim {

Eigen::MatrixXd OpenMatrix::weightsOf(int64_t group) const {
  int64_t rows = weights.rows() / groups, columns = weights.cols() / groups;
  return weights.block(group * rows, group * columns, rows, columns)
      .cast<double>();
}

std::vector<LayerCodes> OpenMatrix::compensate() {
  std::vector<LayerCodes> result;
  for (auto [i, choice] : llvm::enumerate(choices)) {
    LayerCodes &start =
        result.emplace_back(i == chosen ? found : choice.nearest);
    start.explained = start.lostInCells = 0;
  }
  int64_t rows = weights.rows() / groups, columns = weights.cols() / groups;
  // All have equally many cells: they are ternary, or none is.
  bool isTernary = choices.front().levels == 1;
  for (int64_t group = 0; group < groups; ++group) {
    int64_t k = group * rows, n = group * columns;
    ErrorMetric metric(std::move(moments[group]), weightsOf(group), losses,
                       isTernary);
    for (auto [choice, all] : llvm::zip_equal(choices, result)) {
      LayerCodes own;
      own.codes = all.codes.block(k, n, rows, columns);
      own.scales = all.scales.segment(n, columns);
      own = compensateErrors(metric, choice.cells, std::move(own));
      all.codes.block(k, n, rows, columns) = own.codes;
      all.scales.segment(n, columns) = own.scales;
      all.explained += own.explained;
      all.lostInCells += own.lostInCells;
    }
  }
  moments.clear();
  return result;
}

void OpenMatrix::take(size_t choice, LayerCodes codes) {
  chosen = choice;
  found = std::move(codes);
  isDecided = true;
}

void OpenMatrix::decide() {
  std::vector<LayerCodes> found = compensate();
  auto best = llvm::max_element(found, [](const auto &a, const auto &b) {
    return a.explained < b.explained;
  });
  take(best - found.begin(), std::move(*best));
}

} // namespace cim
