// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the errors of a matrix's integers cost, whatever cells hold them.
#include "ErrorMetric.h"
#include "llvm/ADT/STLExtras.h"
#include <limits>

using Eigen::Index;
using Eigen::MatrixXd;

namespace cim {

/// The damping, relative to the mean moment of an input, and what it grows by
/// with inputs per window.
static constexpr double damping = 0.01, dampingPerShortage = 0.1;

void fixOrderOfSums() { Eigen::setCpuCacheSizes(32 << 10, 512 << 10, 2 << 20); }

void LayerMoments::add(LayerMoments other) {
  if (other.count == 0)
    return;
  if (count == 0) {
    *this = std::move(other);
    return;
  }
  count += other.count;
  targets += other.targets;
  for (auto [mine, others] : llvm::zip_equal(inputs, other.inputs))
    mine += others;
  for (auto [mine, others] : llvm::zip_equal(powers, other.powers))
    mine += others;
}

ErrorMetric::ErrorMetric(LayerMoments moments, const MatrixXd &weights,
                         const ReadLosses &losses, bool isTernary)
    : rows(weights.rows()), isTernary(isTernary) {
  if (moments.count == 0)
    return;
  fixOrderOfSums();
  targets = std::move(moments.targets) / moments.count;
  cellPowers.resize(rows);
  corrected.resize(rows, weights.cols());
  RowParts cuts(rows);
  for (int64_t i = 0; i < cuts.count; ++i)
    addPart(cuts.begin(i), std::move(moments.inputs[i]),
            std::move(moments.powers[i]), moments.count, weights, losses);
  if (isBlind())
    return;
  for (Part &part : parts)
    factorise(part);
}

bool ErrorMetric::isBlind() const {
  return parts.empty() || llvm::any_of(parts, [](const Part &part) {
           return !(part.lambda > std::numeric_limits<double>::min());
         });
}

void ErrorMetric::addPart(Index begin, MatrixXd inputs, MatrixXd powers,
                          double count, const MatrixXd &weights,
                          const ReadLosses &losses) {
  inputs /= count;
  powers /= count;
  Index size = inputs.rows();
  double lambda = (damping + dampingPerShortage * (double(size) / count)) *
                  inputs.trace() / double(size);
  inputs.diagonal().array() += lambda;
  targets.middleRows(begin, size) += lambda * weights.middleRows(begin, size);
  cellPowers.segment(begin, size) = losses.cell * powers.diagonal();
  powers *= losses.converter;
  if (isTernary) {
    inputs += powers;
    inputs.diagonal() += cellPowers.segment(begin, size);
  }
  parts.push_back(
      {begin, size, lambda, std::move(inputs), std::move(powers), {}, {}});
}

void ErrorMetric::factorise(Part &part) {
  Eigen::LLT<MatrixXd> factors(part.inputs);
  corrected.middleRows(part.begin, part.rows) =
      factors.solve(targets.middleRows(part.begin, part.rows));
  // Inputs by falling moment: the last ones have the fewest left over to make
  // up for their errors.
  std::vector<Index> &order = part.order;
  for (Index k = 0; k < part.rows; ++k)
    order.push_back(k);
  llvm::sort(order, [&](Index a, Index b) {
    return std::pair(-part.inputs(a, a), a) < std::pair(-part.inputs(b, b), b);
  });
  MatrixXd inverse = factors.solve(MatrixXd::Identity(part.rows, part.rows));
  MatrixXd sorted(part.rows, part.rows);
  for (Index j = 0; j < part.rows; ++j)
    for (Index i = 0; i < part.rows; ++i)
      sorted(i, j) = inverse(order[i], order[j]);
  part.upper = sorted.llt().matrixU();
}

MatrixXd ErrorMetric::multiply(MatrixXd Part::*which, const MatrixXd &x) const {
  MatrixXd product(rows, x.cols());
  for (const Part &part : parts)
    product.middleRows(part.begin, part.rows).noalias() =
        part.*which * x.middleRows(part.begin, part.rows);
  return product;
}

} // namespace cim
