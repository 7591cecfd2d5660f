// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The scale with which integers come nearest to real weights.
#include "WeightSearch.h"
#include "llvm/Support/Parallel.h"
#include <cmath>
#include <numeric>

using namespace mlir;

namespace cim::nn {

/// The integer that stands for `weight`, as a float.
static float roundWeight(float weight, float inverse, float levels) {
  return std::clamp(std::nearbyint(weight * inverse), -levels, levels);
}

/// Threshold at half the scale: |w| below it becomes 0, as rounding does.
static double searchTernaryScale(ArrayRef<float> weights) {
  std::vector<float> magnitudes;
  for (float w : weights)
    magnitudes.push_back(std::abs(w));
  llvm::sort(magnitudes, std::greater<float>());
  double sum = 0, best = 0, scale = 0;
  for (auto [i, magnitude] : llvm::enumerate(magnitudes)) {
    sum += magnitude;
    double gain = sum * sum / static_cast<double>(i + 1);
    if (gain > best) {
      best = gain;
      scale = sum / static_cast<double>(i + 1);
    }
  }
  return scale;
}

/// Squared error of `weights` with the best scale for the integers that
/// rounding with `scale` gives; `scale` becomes that scale.
static double refine(ArrayRef<float> weights, int64_t levels, double &scale) {
  float inverse = static_cast<float>(1.0 / scale);
  double cross = 0, square = 0, energy = 0;
  for (float w : weights) {
    double q = roundWeight(w, inverse, static_cast<float>(levels));
    cross += q * w;
    square += q * q;
    energy += double(w) * w;
  }
  if (square == 0)
    return energy;
  scale = cross / square;
  return energy - cross * cross / square;
}

static double searchScale(ArrayRef<float> weights, int64_t levels) {
  if (levels == 1)
    return searchTernaryScale(weights);
  double largest = 0;
  for (float w : weights)
    largest = std::max(largest, double(std::abs(w)));
  if (largest == 0)
    return 0;
  // With many levels, clipping gains nothing: few clip points suffice.
  int64_t steps = levels > 40 ? 8 : 40;
  double best = std::numeric_limits<double>::infinity(), result = 0;
  for (int64_t step = 0; step < steps; ++step) {
    double clip = 1.0 - 0.75 * static_cast<double>(step) / steps;
    double scale = largest * clip / static_cast<double>(levels);
    double error = refine(weights, levels, scale);
    if (error < best) {
      best = error;
      result = scale;
    }
  }
  return result;
}

ChannelIntegers searchWeights(ArrayRef<float> weights, ArrayRef<int64_t> shape,
                              int64_t dim, int64_t levels) {
  int64_t channels = shape[dim], inner = getInnerSize(shape, dim);
  int64_t size = weights.size();
  ChannelIntegers result;
  result.values.resize(size);
  result.levels = levels;
  result.scales.resize(channels);
  llvm::parallelFor(0, channels, [&](int64_t n) {
    std::vector<float> channel;
    for (int64_t i = n * inner; i < size; i += channels * inner)
      llvm::append_range(channel, weights.slice(i, inner));
    double scale = searchScale(channel, levels);
    if (!(scale >= std::numeric_limits<float>::min()))
      scale = 1;
    result.scales[n] = scale;
    float inverse = static_cast<float>(1.0 / scale);
    for (int64_t i = n * inner; i < size; i += channels * inner)
      for (int64_t j = i; j < i + inner; ++j)
        result.values[j] = static_cast<int8_t>(
            roundWeight(weights[j], inverse, static_cast<float>(levels)));
  });
  return result;
}

namespace {

/// Coordinate descent for one output channel.
class Compensation {
public:
  Compensation(ArrayRef<float> weights, ArrayRef<float> covariance,
               int64_t levels)
      : weights(weights), covariance(covariance),
        levels(static_cast<float>(levels)), target(product(weights)) {
    // Inputs that never vary still want the nearest integer.
    double trace = 0;
    for (size_t k = 0; k < weights.size(); ++k)
      trace += covariance[k * weights.size() + k];
    ridge = static_cast<float>(1e-3 * trace / weights.size());
  }

  /// Integers and scale that are better than `scale` and the integers nearest
  /// to it. Descent ends in the next hollow: it starts from several scales.
  std::vector<float> run(double &scale) {
    std::vector<float> best = roundTo(scale);
    if (!(ridge > 0))
      return best;
    double most = 0, start = scale;
    for (double factor : {1.0, 0.75, 1.4}) {
      double found = start * factor;
      std::vector<float> q = roundTo(found);
      double explained = descend(q, found);
      if (explained > most) {
        most = explained;
        best = std::move(q);
        scale = found;
      }
    }
    return best;
  }

private:
  ArrayRef<float> row(size_t k) const {
    return covariance.slice(k * weights.size(), weights.size());
  }

  std::vector<float> product(ArrayRef<float> vector) const {
    std::vector<float> result(weights.size(), 0.0f);
    for (size_t k = 0; k < vector.size(); ++k)
      if (vector[k] != 0)
        addRow(k, vector[k], result);
    return result;
  }

  void addRow(size_t k, float factor, std::vector<float> &to) const {
    ArrayRef<float> from = row(k);
    for (size_t i = 0; i < from.size(); ++i)
      to[i] += factor * from[i];
  }

  std::vector<float> roundTo(double scale) const {
    std::vector<float> q;
    for (float weight : weights)
      q.push_back(roundWeight(weight, static_cast<float>(1.0 / scale), levels));
    return q;
  }

  /// Sweeps until nothing changes. What `fitScale` returns for the result.
  double descend(std::vector<float> &q, double &scale) const {
    constexpr int maxSweeps = 8;
    std::vector<float> found = product(q);
    for (int sweep = 0; sweep < maxSweeps; ++sweep) {
      if (!improve(q, found, static_cast<float>(scale)) ||
          !(fitScale(q, found, scale) > 0))
        break;
    }
    return fitScale(q, product(q), scale);
  }

  /// The best scale for `q`, s = q'Cw / q'Cq, and how much of the variance of
  /// the result it explains; 0, and no scale, when it explains nothing.
  double fitScale(ArrayRef<float> q, ArrayRef<float> found,
                  double &scale) const {
    double cross = 0, square = 0;
    for (size_t k = 0; k < q.size(); ++k) {
      cross += double(q[k]) * (target[k] + ridge * weights[k]);
      square += double(q[k]) * (found[k] + ridge * q[k]);
    }
    if (!(cross > 0) || !(square > 0) ||
        !(cross / square >= std::numeric_limits<float>::min()))
      return 0;
    scale = cross / square;
    return cross * cross / square;
  }

  /// One sweep over the weights; `found` is C q. False when nothing changed.
  bool improve(std::vector<float> &q, std::vector<float> &found,
               float scale) const {
    bool changed = false;
    for (size_t k = 0; k < q.size(); ++k) {
      float own = row(k)[k] + ridge;
      // What is left for q[k] when all others stay.
      float rest = target[k] + ridge * weights[k] -
                   scale * (found[k] - row(k)[k] * q[k]);
      float best =
          std::clamp(std::nearbyint(rest / (scale * own)), -levels, levels);
      if (best == q[k])
        continue;
      addRow(k, best - q[k], found);
      q[k] = best;
      changed = true;
    }
    return changed;
  }

  ArrayRef<float> weights, covariance;
  float levels, ridge = 0;
  std::vector<float> target; // C w
};

} // namespace

void compensateWeights(ChannelIntegers &integers, ArrayRef<float> weights,
                       ArrayRef<int64_t> shape, int64_t dim,
                       ArrayRef<float> covariance, int64_t groups) {
  int64_t channels = shape[dim], inner = getInnerSize(shape, dim);
  int64_t rows = weights.size() / channels;
  llvm::parallelFor(0, channels, [&](int64_t n) {
    std::vector<float> real;
    std::vector<int64_t> places;
    for (int64_t i = n * inner; static_cast<int64_t>(real.size()) < rows;
         i += channels * inner)
      for (int64_t j = i; j < i + inner; ++j) {
        real.push_back(weights[j]);
        places.push_back(j);
      }
    int64_t group = n / (channels / groups);
    std::vector<float> q =
        Compensation(real, covariance.slice(group * rows * rows, rows * rows),
                     integers.levels)
            .run(integers.scales[n]);
    for (auto [place, value] : llvm::zip_equal(places, q))
      integers.values[place] = static_cast<int8_t>(value);
  });
}

} // namespace cim::nn
