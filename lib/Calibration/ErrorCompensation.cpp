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

using Part = ErrorMetric::Part;

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
  Compensation(const ErrorMetric &metric, const CellModel &cells,
               LayerCodes start)
      : metric(metric), cells(cells), levels(cells.levels), rows(metric.rows),
        result(std::move(start)),
        explained(RowVectorXd::Zero(metric.targets.cols())) {}

  LayerCodes run() {
    Eigen::Index columns = metric.targets.cols();
    size_t slabs = (columns + slabColumns - 1) / slabColumns;
    llvm::parallelFor(0, slabs, [&](size_t slab) {
      Eigen::Index begin = Eigen::Index(slab) * slabColumns;
      chooseColumns(begin, std::min(slabColumns, columns - begin));
    });
    result.explained = explained.sum();
    if (!metric.isTernary)
      result.lostInCells = result.scales.cwiseAbs2().dot(
          getCellLosses(result.codes.cast<double>()));
    return std::move(result);
  }

private:
  /// What is rounded of all columns meets the moments at once: these are large.
  void chooseColumns(Eigen::Index begin, Eigen::Index count) {
    MatrixXd rounded(rows, count * scaleCount);
    for (Eigen::Index i = 0; i < count; ++i)
      rounded.middleCols(i * scaleCount, scaleCount) = roundColumn(begin + i);
    RowVectorXd squares = getSquares(rounded);
    for (Eigen::Index i = 0; i < count; ++i)
      chooseColumn(begin + i, rounded.middleCols(i * scaleCount, scaleCount),
                   squares.segment(i * scaleCount, scaleCount));
  }

  void chooseColumn(Eigen::Index n, const MatrixXd &rounded,
                    const RowVectorXd &squares) {
    VectorXd start = getCodes(n);
    double startScale = result.scales[n];
    double least = getGain(n, start);
    offer(n, start);
    offer(n, rounded, squares);
    offer(n, descend(n));
    // Losing less in cells must not cost what rounding alone would have kept.
    if (getGain(n, getCodes(n)) >= least)
      return;
    result.codes.col(n) = start.cast<int8_t>();
    result.scales[n] = startScale;
    explained[n] = 0;
    offer(n, start);
  }

  VectorXd getCodes(Eigen::Index n) const {
    return result.codes.col(n).cast<double>();
  }

  /// e(q) of column `n` without losses in cells and converters.
  double getGain(Eigen::Index n, const VectorXd &codes) const {
    double cross = codes.dot(metric.targets.col(n));
    VectorXd product = metric.multiply(&Part::inputs, codes);
    if (metric.isTernary)
      product -= metric.multiply(&Part::powers, codes) +
                 metric.cellPowers.cwiseProduct(codes);
    return cross > 0 ? cross * cross / codes.dot(product) : 0;
  }

  /// What the integers of `codes` add to the sums of plane `plane`.
  MatrixXd getDigits(const MatrixXd &codes, Eigen::Index plane) const {
    MatrixXd digits(codes.rows(), codes.cols());
    for (Eigen::Index j = 0; j < codes.cols(); ++j)
      for (Eigen::Index k = 0; k < codes.rows(); ++k)
        digits(k, j) = cells.digitsAt(k)(plane, cells.indexOf(codes(k, j)));
    return digits;
  }

  /// q'Aq of every column of `codes`, and what is lost in cells and converters.
  RowVectorXd getSquares(const MatrixXd &codes) const {
    RowVectorXd squares =
        codes.cwiseProduct(metric.multiply(&Part::inputs, codes))
            .colwise()
            .sum();
    if (metric.isTernary)
      return squares;
    for (Eigen::Index p = 0; p < cells.significance.size(); ++p) {
      MatrixXd digits = getDigits(codes, p);
      squares += cells.significance[p] * cells.significance[p] *
                 digits.cwiseProduct(metric.multiply(&Part::powers, digits))
                     .colwise()
                     .sum();
    }
    return squares + getCellLosses(codes);
  }

  /// What is lost in the cells of every column of `codes`.
  RowVectorXd getCellLosses(const MatrixXd &codes) const {
    MatrixXd energies = codes.unaryExpr(
        [&](double code) { return cells.energy[cells.indexOf(code)]; });
    return metric.cellPowers.transpose() * energies;
  }

  void offer(Eigen::Index n, const VectorXd &codes) {
    offer(n, codes, getSquares(codes));
  }

  /// Takes the best column of `codes`, whose squares are known, for column `n`
  /// if it explains more of the targets than what there is, with the scale that
  /// suits it best.
  void offer(Eigen::Index n, const MatrixXd &codes,
             const RowVectorXd &squares) {
    for (Eigen::Index i = 0; i < codes.cols(); ++i) {
      double cross = codes.col(i).dot(metric.targets.col(n));
      double scale = cross / squares[i];
      if (!(cross > 0) || !(scale >= std::numeric_limits<float>::min()) ||
          !(cross * scale > explained[n]))
        continue;
      explained[n] = cross * scale;
      result.codes.col(n) = codes.col(i).cast<int8_t>();
      result.scales[n] = scale;
    }
  }

  /// Rounds column `n` input by input, with every scale; what an input gets
  /// wrong is made up for by those that follow.
  MatrixXd roundColumn(Eigen::Index n) const {
    VectorXd weights = metric.corrected.col(n);
    double base = getBaseScale(weights);
    const ScaleRange &range = metric.isTernary ? ternaryScales : otherScales;
    Eigen::Array<double, 1, Eigen::Dynamic> scales(scaleCount);
    for (int i = 0; i < scaleCount; ++i)
      scales[i] = base * range.factor(i);
    MatrixXd codes(rows, scaleCount);
    for (const Part &part : metric.parts)
      roundPart(part, weights, scales, codes);
    return codes;
  }

  void roundPart(const Part &part, const VectorXd &weights,
                 const Eigen::Array<double, 1, Eigen::Dynamic> &scales,
                 MatrixXd &codes) const {
    Part::RowMajorMatrix rest(part.rows, scaleCount);
    for (Eigen::Index k = 0; k < part.rows; ++k)
      rest.row(k).setConstant(weights[part.begin + part.order[k]]);
    RowVectorXd rounded(scaleCount), error(scaleCount);
    for (Eigen::Index k = 0; k < part.rows; ++k) {
      rounded = (rest.row(k).array() / scales).rint().max(-levels).min(levels);
      codes.row(part.begin + part.order[k]) = rounded;
      error =
          (rest.row(k).array() - rounded.array() * scales) / part.upper(k, k);
      Eigen::Index left = part.rows - k - 1;
      rest.bottomRows(left).noalias() -=
          part.upper.row(k).tail(left).transpose() * error;
    }
  }

  double getBaseScale(const VectorXd &weights) const {
    double scale = metric.isTernary ? getTernaryScale(weights)
                                    : weights.cwiseAbs().maxCoeff() / levels;
    return std::max(scale, double(std::numeric_limits<float>::min()));
  }

  /// Sweeps over the codes of column `n`, each becoming the best while all
  /// others stay, until none changes.
  VectorXd descend(Eigen::Index n) const {
    VectorXd codes = getCodes(n);
    VectorXd product = metric.multiply(&Part::inputs, codes);
    Eigen::Index planes = metric.isTernary ? 0 : cells.significance.size();
    MatrixXd planeProducts(rows, planes);
    for (Eigen::Index p = 0; p < planes; ++p)
      planeProducts.col(p) =
          cells.significance[p] * cells.significance[p] *
          metric.multiply(&Part::powers, getDigits(codes, p));
    for (int sweeps = 0; sweeps < maxSweeps; ++sweeps) {
      double cross = codes.dot(metric.targets.col(n));
      double scale = cross > 0 ? cross / getSquares(codes)[0] : 0;
      if (!(scale > 0))
        break;
      bool changed = false;
      for (const Part &part : metric.parts)
        changed |= sweep(part, n, scale, codes, product, planeProducts);
      if (!changed)
        break;
    }
    return codes;
  }

  /// Whether a code of `part` changed.
  bool sweep(const Part &part, Eigen::Index n, double scale, VectorXd &codes,
             VectorXd &product, MatrixXd &planeProducts) const {
    bool changed = false;
    for (Eigen::Index i = 0; i < part.rows; ++i) {
      Eigen::Index k = part.begin + i;
      double code = improve(part, n, i, scale, codes, product, planeProducts);
      if (code == codes[k])
        continue;
      product.segment(part.begin, part.rows) +=
          (code - codes[k]) * part.inputs.col(i);
      const MatrixXd &digits = cells.digitsAt(k);
      Eigen::Index before = cells.indexOf(codes[k]);
      for (Eigen::Index p = 0; p < planeProducts.cols(); ++p) {
        double change = digits(p, cells.indexOf(code)) - digits(p, before);
        planeProducts.col(p).segment(part.begin, part.rows) +=
            change * cells.significance[p] * cells.significance[p] *
            part.powers.col(i);
      }
      codes[k] = code;
      changed = true;
    }
    return changed;
  }

  /// The best integer of input `i` of `part` while all others stay.
  double improve(const Part &part, Eigen::Index n, Eigen::Index i, double scale,
                 const VectorXd &codes, const VectorXd &product,
                 const MatrixXd &planeProducts) const {
    Eigen::Index k = part.begin + i;
    double own = part.inputs(i, i), power = part.powers(i, i);
    double rest = metric.targets(k, n) / scale - product[k] + own * codes[k];
    if (metric.isTernary)
      return std::clamp(std::rint(rest / own), -levels, levels);
    const MatrixXd &digits = cells.digitsAt(k);
    Eigen::Index before = cells.indexOf(codes[k]);
    double best = std::numeric_limits<double>::infinity(), result = codes[k];
    for (Eigen::Index index = 0; index < cells.energy.size(); ++index) {
      double code = double(index) - levels;
      double loss = code * (own * code - 2 * rest) +
                    metric.cellPowers[k] * cells.energy[index];
      for (Eigen::Index p = 0; p < planeProducts.cols(); ++p) {
        double square = cells.significance[p] * cells.significance[p];
        double now = digits(p, before), digit = digits(p, index);
        loss += digit *
                (square * power * (digit - 2 * now) + 2 * planeProducts(k, p));
      }
      if (loss < best) {
        best = loss;
        result = code;
      }
    }
    return result;
  }

  const ErrorMetric &metric;
  const CellModel &cells;
  double levels;
  Eigen::Index rows;
  LayerCodes result;
  RowVectorXd explained; // of the targets' variance, by `result`
};

} // namespace

LayerCodes compensateErrors(const ErrorMetric &metric, const CellModel &cells,
                            LayerCodes start) {
  assert(metric.isTernary == (cells.levels == 1) &&
         "a metric of single ternary cells is one of its own");
  if (metric.isBlind())
    return start;
  return Compensation(metric, cells, std::move(start)).run();
}

} // namespace cim
