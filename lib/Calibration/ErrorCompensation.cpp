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
/// Columns that are rounded side by side with all scales.
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
               double levels, LayerCodes start)
      : rows(weights.rows()), levels(levels), result(std::move(start)),
        explained(RowVectorXd::Zero(weights.cols())) {
    double shortage = double(rows) / moments.count;
    lambda = (damping + dampingPerShortage * shortage) *
             moments.inputs.trace() / (moments.count * double(rows));
    inputs = moments.inputs / moments.count;
    inputs.diagonal().array() += lambda;
    targets = moments.targets / moments.count + lambda * weights;
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
        offer(n, result.codes.col(n));
      roundSlab(begin, count);
      for (Eigen::Index n = begin; n < begin + count; ++n)
        offer(n, descend(n));
    });
    return std::move(result);
  }

private:
  /// Takes `codes` for column `n` if they explain more of the targets than what
  /// there is, with the scale that suits them best.
  void offer(Eigen::Index n, const VectorXd &codes) {
    double cross = codes.dot(targets.col(n));
    double square = codes.dot(inputs * codes);
    if (!(cross > 0) || !(cross / square >= std::numeric_limits<float>::min()))
      return;
    double found = cross * cross / square;
    if (!(found > explained[n]))
      return;
    explained[n] = found;
    result.codes.col(n) = codes;
    result.scales[n] = cross / square;
  }

  /// Rounds some columns input by input, with every scale; what an input gets
  /// wrong is made up for by those that follow.
  void roundSlab(Eigen::Index begin, Eigen::Index count) {
    Eigen::Index width = count * scaleCount;
    Eigen::Array<double, 1, Eigen::Dynamic> scales(width);
    RowMajorMatrix rest(rows, width);
    for (Eigen::Index c = 0; c < count; ++c) {
      double base = getBaseScale(corrected.col(begin + c));
      const ScaleRange &range = levels == 1 ? ternaryScales : otherScales;
      for (int i = 0; i < scaleCount; ++i) {
        Eigen::Index at = c * scaleCount + i;
        scales[at] = base * range.factor(i);
        for (Eigen::Index k = 0; k < rows; ++k)
          rest(k, at) = corrected(order[k], begin + c);
      }
    }
    RowMajorMatrix codes(rows, width);
    RowVectorXd error(width);
    for (Eigen::Index k = 0; k < rows; ++k) {
      codes.row(k) =
          (rest.row(k).array() / scales).rint().max(-levels).min(levels);
      error =
          (rest.row(k).array() - codes.row(k).array() * scales) / upper(k, k);
      Eigen::Index left = rows - k - 1;
      rest.bottomRows(left).noalias() -=
          upper.row(k).tail(left).transpose() * error;
    }
    VectorXd column(rows);
    for (Eigen::Index at = 0; at < width; ++at) {
      for (Eigen::Index k = 0; k < rows; ++k)
        column[order[k]] = codes(k, at);
      offer(begin + at / scaleCount, column);
    }
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
    for (int sweep = 0; sweep < maxSweeps; ++sweep) {
      double square = codes.dot(product);
      double scale = square > 0 ? codes.dot(targets.col(n)) / square : 0;
      if (!(scale > 0))
        break;
      bool changed = false;
      for (Eigen::Index k = 0; k < rows; ++k) {
        double own = inputs(k, k);
        double wanted =
            (targets(k, n) / scale - product[k] + own * codes[k]) / own;
        double code = std::clamp(std::rint(wanted), -levels, levels);
        if (code == codes[k])
          continue;
        product += (code - codes[k]) * inputs.col(k);
        codes[k] = code;
        changed = true;
      }
      if (!changed)
        break;
    }
    return codes;
  }

  Eigen::Index rows;
  double levels, lambda;
  MatrixXd inputs, targets; // A and B
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
}

LayerCodes compensateErrors(const LayerMoments &moments,
                            const MatrixXd &weights, double levels,
                            LayerCodes start) {
  if (moments.count == 0)
    return start;
  // What fits into caches must not decide in which order sums are rounded.
  Eigen::setCpuCacheSizes(32 << 10, 512 << 10, 2 << 20);
  return Compensation(moments, weights, levels, std::move(start)).run();
}

} // namespace cim
