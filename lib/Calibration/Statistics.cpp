// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What calibration keeps of the values it sees.
#include "Statistics.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace cim {

static constexpr int64_t keptValues = 1 << 18;
static constexpr double percentile = 0.9999;

ValueStatistics::ValueStatistics(int64_t total)
    : stride(std::max<int64_t>(total / keptValues, 1)) {
  // Odd and without small factors: it must not run in step with rows.
  while (stride > 1 && std::gcd(stride, int64_t(2 * 3 * 5 * 7)) != 1)
    ++stride;
}

void ValueStatistics::add(llvm::ArrayRef<float> values) {
  int64_t size = values.size();
  // Lanes that do not depend on each other can be one vector.
  constexpr int lanes = 16;
  float lows[lanes], highs[lanes];
  std::fill_n(lows, lanes, lo);
  std::fill_n(highs, lanes, hi);
  int64_t i = 0;
  for (; i + lanes <= size; i += lanes)
    for (int lane = 0; lane < lanes; ++lane) {
      float value = values[i + lane];
      lows[lane] = value < lows[lane] ? value : lows[lane];
      highs[lane] = value > highs[lane] ? value : highs[lane];
    }
  for (; i < size; ++i) {
    lows[0] = std::min(lows[0], values[i]);
    highs[0] = std::max(highs[0], values[i]);
  }
  lo = *std::min_element(lows, lows + lanes);
  hi = *std::max_element(highs, highs + lanes);
  for (; next < size; next += stride)
    kept.push_back(values[next]);
  next -= size;
}

void ValueStatistics::merge(const ValueStatistics &later) {
  lo = std::min(lo, later.lo);
  hi = std::max(hi, later.hi);
  kept.insert(kept.end(), later.kept.begin(), later.kept.end());
}

bool ValueStatistics::isFinite() const {
  return std::isfinite(lo) && std::isfinite(hi) &&
         std::all_of(kept.begin(), kept.end(),
                     [](float value) { return std::isfinite(value); });
}

/// The magnitude that `percentile` of all values do not exceed.
static float findPercentile(std::vector<float> magnitudes) {
  size_t index =
      std::min(magnitudes.size() - 1,
               static_cast<size_t>(std::ceil(percentile * magnitudes.size())));
  std::nth_element(magnitudes.begin(), magnitudes.begin() + index,
                   magnitudes.end());
  return magnitudes[index];
}

/// The clip point with the least squared error when magnitudes are rounded to
/// `levels` steps, on a histogram.
static float findLeastError(llvm::ArrayRef<float> magnitudes, float largest,
                            int64_t levels) {
  constexpr int bins = 8192, candidates = 90;
  std::array<double, bins> histogram = {};
  for (float magnitude : magnitudes)
    histogram[std::min(bins - 1, int(magnitude / largest * bins))] += 1;
  double best = std::numeric_limits<double>::infinity();
  float result = largest;
  for (int i = 0; i < candidates; ++i) {
    double clip = 1.0 - i * 0.01, step = clip / levels, error = 0;
    for (int bin = 0; bin < bins; ++bin) {
      double x = (bin + 0.5) / bins;
      double rounded =
          std::min(std::nearbyint(x / step), double(levels)) * step;
      error += histogram[bin] * (x - rounded) * (x - rounded);
    }
    if (error < best) {
      best = error;
      result = static_cast<float>(clip * largest);
    }
  }
  return result;
}

std::pair<float, float>
ValueStatistics::chooseRange(RangeMethod method, int64_t signedLevels,
                             int64_t unsignedLevels) const {
  float largest = std::max(std::abs(lo), std::abs(hi));
  if (method == RangeMethod::MinMax || kept.empty() || !(largest > 0))
    return {lo, hi};
  std::vector<float> magnitudes;
  for (float value : kept)
    magnitudes.push_back(std::abs(value));
  bool isSigned = lo < 0;
  float clip = method == RangeMethod::Percentile
                   ? findPercentile(std::move(magnitudes))
                   : findLeastError(magnitudes, largest,
                                    isSigned ? signedLevels : unsignedLevels);
  return {isSigned ? std::max(lo, -clip) : lo, std::min(hi, clip)};
}

void ChannelStatistics::add(llvm::ArrayRef<float> values) {
  if (inner == 1)
    addNeighbours(values);
  else
    addPlanes(values);
  count += values.size() / sum.size();
}

/// Channels are next to each other.
void ChannelStatistics::addNeighbours(llvm::ArrayRef<float> values) {
  int64_t channels = sum.size(), size = values.size();
  double *s = sum.data(), *q = squares.data();
  for (int64_t begin = 0; begin < size; begin += channels) {
    const float *from = values.data() + begin;
    for (int64_t n = 0; n < channels; ++n) {
      double value = from[n];
      s[n] += value;
      q[n] += value * value;
    }
  }
}

/// Each channel is a run of `inner` values.
void ChannelStatistics::addPlanes(llvm::ArrayRef<float> values) {
  constexpr int lanes = 16;
  int64_t channels = sum.size(), size = values.size();
  for (int64_t begin = 0, n = 0; begin < size; begin += inner) {
    double s[lanes] = {}, q[lanes] = {};
    const float *from = values.data() + begin;
    int64_t i = 0;
    for (; i + lanes <= inner; i += lanes)
      for (int lane = 0; lane < lanes; ++lane) {
        double value = from[i + lane];
        s[lane] += value;
        q[lane] += value * value;
      }
    for (; i < inner; ++i) {
      s[0] += from[i];
      q[0] += double(from[i]) * from[i];
    }
    sum[n] += std::accumulate(s, s + lanes, 0.0);
    squares[n] += std::accumulate(q, q + lanes, 0.0);
    n = n + 1 == channels ? 0 : n + 1;
  }
}

void ChannelStatistics::merge(const ChannelStatistics &other) {
  for (size_t n = 0; n < sum.size(); ++n) {
    sum[n] += other.sum[n];
    squares[n] += other.squares[n];
  }
  count += other.count;
}

bool ChannelStatistics::isFinite() const {
  return std::all_of(sum.begin(), sum.end(),
                     [](double value) { return std::isfinite(value); });
}

std::vector<double> ChannelStatistics::mean() const {
  std::vector<double> result;
  for (double s : sum)
    result.push_back(count ? s / count : 0);
  return result;
}

std::vector<double> ChannelStatistics::deviation() const {
  std::vector<double> result;
  for (size_t n = 0; n < sum.size(); ++n) {
    double m = count ? sum[n] / count : 0;
    double variance = count ? squares[n] / count - m * m : 0;
    result.push_back(std::sqrt(std::max(variance, 0.0)));
  }
  return result;
}

} // namespace cim
