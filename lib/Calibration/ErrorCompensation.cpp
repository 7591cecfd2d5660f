// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Column-wise rounding that compensates its errors, then coordinate descent.
// The method is docs/Accuracy.md; its names are used here.
#include "ErrorCompensation.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Parallel.h"
#include <limits>

using Eigen::ArrayXXd;
using Eigen::MatrixXd;
using Eigen::RowVectorXd;
using Eigen::VectorXd;

namespace cim {

namespace {

using RowMajorMatrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The damping, relative to the mean moment of an input, and what it grows by
/// with inputs per window.
constexpr double damping = 0.01, dampingPerShortage = 0.1;
constexpr int scaleCount = 20, maxSweeps = 8;
/// Columns that one thread takes at a time.
constexpr Eigen::Index slabColumns = 4;

/// A geometric series of factors of the largest (ternary: the best plain)
/// scale.
struct ScaleRange {
  double lo, hi;

  double factor(int i) const {
    return lo * std::pow(hi / lo, double(i) / (scaleCount - 1));
  }
};

constexpr ScaleRange ternaryScales = {0.6, 1.6}, otherScales = {0.35, 1.05};

/// The scale with which plain ternary rounding of `weights` errs least: the
/// mean of the m largest magnitudes, for the best m.
double getTernaryScale(const VectorXd &weights) {
  std::vector<double> magnitudes(weights.size());
  VectorXd::Map(magnitudes.data(), weights.size()) = weights.cwiseAbs();
  llvm::sort(magnitudes, std::greater<double>());
  double sum = 0, best = 0, scale = 0;
  for (auto [i, magnitude] : llvm::enumerate(magnitudes)) {
    sum += magnitude;
    double gain = sum * sum / double(i + 1);
    if (gain > best) {
      best = gain;
      scale = sum / double(i + 1);
    }
  }
  return scale;
}

class Compensation {
public:
  Compensation(const LayerMoments &moments, const MatrixXd &weights,
               const CellModel &cells, LayerCodes start)
      : rows(weights.rows()), cells(cells), levels(cells.levels),
        result(std::move(start)), explained(RowVectorXd::Zero(weights.cols())) {
    double shortage = double(rows) / moments.count;
    lambda = (damping + dampingPerShortage * shortage) *
             moments.inputs.trace() / (moments.count * double(rows));
    inputs = moments.inputs / moments.count;
    inputs.diagonal().array() += lambda;
    targets = moments.targets / moments.count + lambda * weights;
    powers = moments.powers / moments.count;
    cellPowers = cells.cellLoss * powers.diagonal();
    powers *= cells.converterLoss;
    if (levels > 1)
      return;
    // One cell: all losses are quadratic in the integers themselves.
    inputs += powers;
    inputs.diagonal() += cellPowers;
  }

  LayerCodes run() {
    if (!(lambda > std::numeric_limits<double>::min()))
      return std::move(result);
    Eigen::LLT<MatrixXd> factors(inputs);
    corrected = factors.solve(targets);
    // Inputs by falling moment: the last ones have the fewest left over to
    // make up for their errors.
    order.resize(rows);
    for (Eigen::Index k = 0; k < rows; ++k)
      order[k] = k;
    llvm::sort(order, [&](Eigen::Index a, Eigen::Index b) {
      return std::pair(-inputs(a, a), a) < std::pair(-inputs(b, b), b);
    });
    MatrixXd inverse = factors.solve(MatrixXd::Identity(rows, rows));
    MatrixXd sorted(rows, rows);
    for (Eigen::Index j = 0; j < rows; ++j)
      for (Eigen::Index i = 0; i < rows; ++i)
        sorted(i, j) = inverse(order[i], order[j]);
    upper = sorted.llt().matrixU();
    Eigen::Index columns = targets.cols();
    size_t slabs = (columns + slabColumns - 1) / slabColumns;
    llvm::parallelFor(0, slabs, [&](size_t slab) {
      Eigen::Index begin = Eigen::Index(slab) * slabColumns;
      Eigen::Index count = std::min(slabColumns, columns - begin);
      for (Eigen::Index n = begin; n < begin + count; ++n)
        chooseColumn(n);
    });
    return std::move(result);
  }

private:
  void chooseColumn(Eigen::Index n) {
    VectorXd start = result.codes.col(n);
    double startScale = result.scales[n];
    double least = getGain(n, start);
    offer(n, start);
    offer(n, roundColumn(n));
    offer(n, descend(n));
    // Losing less in cells must not cost what rounding alone would have kept.
    if (getGain(n, result.codes.col(n)) >= least)
      return;
    result.codes.col(n) = start;
    result.scales[n] = startScale;
    explained[n] = 0;
    offer(n, start);
  }

  /// e(q) of column `n` without losses in cells and converters.
  double getGain(Eigen::Index n, const VectorXd &codes) const {
    double cross = codes.dot(targets.col(n));
    VectorXd product = inputs * codes;
    if (levels == 1)
      product -= powers * codes + cellPowers.cwiseProduct(codes);
    return cross > 0 ? cross * cross / codes.dot(product) : 0;
  }

  /// What the integers of `codes` add to the sums of plane `plane`.
  MatrixXd getDigits(const MatrixXd &codes, Eigen::Index plane) const {
    return codes.unaryExpr(
        [&](double code) { return cells.digits(plane, cells.indexOf(code)); });
  }

  /// q'Aq of every column of `codes`, and what is lost in cells and converters.
  RowVectorXd getSquares(const MatrixXd &codes) const {
    RowVectorXd squares = codes.cwiseProduct(inputs * codes).colwise().sum();
    if (levels == 1)
      return squares;
    for (Eigen::Index p = 0; p < cells.significance.size(); ++p) {
      MatrixXd digits = getDigits(codes, p);
      squares += cells.significance[p] * cells.significance[p] *
                 digits.cwiseProduct(powers * digits).colwise().sum();
    }
    MatrixXd energies = codes.unaryExpr(
        [&](double code) { return cells.energy[cells.indexOf(code)]; });
    return squares + cellPowers.transpose() * energies;
  }

  /// Takes the best column of `codes` for column `n` if it explains more of the
  /// targets than what there is, with the scale that suits it best.
  void offer(Eigen::Index n, const MatrixXd &codes) {
    RowVectorXd squares = getSquares(codes);
    for (Eigen::Index i = 0; i < codes.cols(); ++i) {
      double cross = codes.col(i).dot(targets.col(n));
      double scale = cross / squares[i];
      if (!(cross > 0) || !(scale >= std::numeric_limits<float>::min()) ||
          !(cross * scale > explained[n]))
        continue;
      explained[n] = cross * scale;
      result.codes.col(n) = codes.col(i);
      result.scales[n] = scale;
    }
  }

  /// Rounds column `n` input by input, with every scale; what an input gets
  /// wrong is made up for by those that follow.
  MatrixXd roundColumn(Eigen::Index n) const {
    VectorXd weights = corrected.col(n);
    double base = getBaseScale(weights);
    const ScaleRange &range = levels == 1 ? ternaryScales : otherScales;
    Eigen::Array<double, 1, Eigen::Dynamic> scales(scaleCount);
    for (int i = 0; i < scaleCount; ++i)
      scales[i] = base * range.factor(i);
    RowMajorMatrix rest(rows, scaleCount);
    for (Eigen::Index k = 0; k < rows; ++k)
      rest.row(k).setConstant(weights[order[k]]);
    MatrixXd codes(rows, scaleCount);
    RowVectorXd rounded(scaleCount), error(scaleCount);
    for (Eigen::Index k = 0; k < rows; ++k) {
      rounded = (rest.row(k).array() / scales).rint().max(-levels).min(levels);
      codes.row(order[k]) = rounded;
      error = (rest.row(k).array() - rounded.array() * scales) / upper(k, k);
      Eigen::Index left = rows - k - 1;
      rest.bottomRows(left).noalias() -=
          upper.row(k).tail(left).transpose() * error;
    }
    return codes;
  }

  double getBaseScale(const VectorXd &weights) const {
    double scale = levels == 1 ? getTernaryScale(weights)
                               : weights.cwiseAbs().maxCoeff() / levels;
    return std::max(scale, double(std::numeric_limits<float>::min()));
  }

  /// Sweeps over the codes of column `n`, each becoming the best while all
  /// others stay, until none changes.
  VectorXd descend(Eigen::Index n) const {
    VectorXd codes = result.codes.col(n), product = inputs * codes;
    Eigen::Index planes = levels > 1 ? cells.significance.size() : 0;
    MatrixXd planeProducts(rows, planes);
    for (Eigen::Index p = 0; p < planes; ++p)
      planeProducts.col(p) = cells.significance[p] * cells.significance[p] *
                             (powers * getDigits(codes, p));
    for (int sweep = 0; sweep < maxSweeps; ++sweep) {
      double cross = codes.dot(targets.col(n));
      double scale = cross > 0 ? cross / getSquares(codes)[0] : 0;
      if (!(scale > 0))
        break;
      bool changed = false;
      for (Eigen::Index k = 0; k < rows; ++k) {
        double code = improve(n, k, scale, codes, product, planeProducts);
        if (code == codes[k])
          continue;
        product += (code - codes[k]) * inputs.col(k);
        for (Eigen::Index p = 0; p < planes; ++p) {
          double change = cells.digits(p, cells.indexOf(code)) -
                          cells.digits(p, cells.indexOf(codes[k]));
          planeProducts.col(p) += change * cells.significance[p] *
                                  cells.significance[p] * powers.col(k);
        }
        codes[k] = code;
        changed = true;
      }
      if (!changed)
        break;
    }
    return codes;
  }

  /// The best integer of input `k` while all others stay.
  double improve(Eigen::Index n, Eigen::Index k, double scale,
                 const VectorXd &codes, const VectorXd &product,
                 const MatrixXd &planeProducts) const {
    double own = inputs(k, k);
    double rest = targets(k, n) / scale - product[k] + own * codes[k];
    if (levels == 1)
      return std::clamp(std::rint(rest / own), -levels, levels);
    double best = std::numeric_limits<double>::infinity(), result = codes[k];
    for (Eigen::Index i = 0; i < cells.energy.size(); ++i) {
      double code = double(i) - levels;
      double loss =
          code * (own * code - 2 * rest) + cellPowers[k] * cells.energy[i];
      for (Eigen::Index p = 0; p < planeProducts.cols(); ++p) {
        double square = cells.significance[p] * cells.significance[p];
        double now = cells.digits(p, cells.indexOf(codes[k]));
        double digit = cells.digits(p, i);
        loss += digit * (square * powers(k, k) * (digit - 2 * now) +
                         2 * planeProducts(k, p));
      }
      if (loss < best) {
        best = loss;
        result = code;
      }
    }
    return result;
  }

  Eigen::Index rows;
  const CellModel &cells;
  double levels, lambda;
  MatrixXd inputs, targets; // A and B
  MatrixXd powers;          // R, times the loss of a conversion
  VectorXd cellPowers;      // its diagonal, times the loss of a cell
  MatrixXd corrected;       // W* = A^-1 B
  RowMajorMatrix upper;     // U, in `order`
  std::vector<Eigen::Index> order;
  LayerCodes result;
  RowVectorXd explained; // of the targets' variance, by `result`
};

} // namespace

void LayerMoments::add(const LayerMoments &other) {
  if (count == 0) {
    *this = other;
    return;
  }
  count += other.count;
  inputs += other.inputs;
  targets += other.targets;
  powers += other.powers;
}

void fixOrderOfSums() { Eigen::setCpuCacheSizes(32 << 10, 512 << 10, 2 << 20); }

LayerCodes compensateErrors(const LayerMoments &moments,
                            const MatrixXd &weights, const CellModel &cells,
                            LayerCodes start) {
  if (moments.count == 0)
    return start;
  fixOrderOfSums();
  return Compensation(moments, weights, cells, std::move(start)).run();
}

} // namespace cim
