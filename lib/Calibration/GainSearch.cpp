// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The gain of converters, by the sums that they convert. The method is
// docs/Accuracy.md, "ADC gains"; its names are used here.
#include "GainSearch.h"
#include "cim/Arch/Arch.h"
#include "llvm/Support/ErrorHandling.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace cim {

namespace {

constexpr int clipPoints = 64;
constexpr double octaves = 4;
/// Bins of the histogram that noise is applied to.
constexpr int64_t noisyBins = 512;
/// Deviations beyond which a normal has no probability.
constexpr double reach = 7;
/// Codes per deviation that are told apart.
constexpr double codesPerDeviation = 8;

using Histogram = std::map<int64_t, double>;

/// Moments of a code.
struct Code {
  double mean, square;
};

/// Weighted variance of errors.
class Loss {
public:
  /// A sum is read as `code / gain`.
  void add(double weight, double sum, Code code, double gain) {
    double error = sum - code.mean / gain;
    count += weight;
    mean += weight * error;
    square += weight * (sum * sum - 2 * sum * code.mean / gain +
                        code.square / (gain * gain));
  }
  double get() const { return count > 0 ? square - mean * mean / count : 0; }

private:
  double count = 0, mean = 0, square = 0;
};

} // namespace

void PlaneSums::add(const PlaneSums &other) {
  for (auto [sum, times] : other.histogram)
    histogram[sum] += times;
  power += other.power;
  weight += other.weight;
}

GainChoice::GainChoice(GainMethod method, double percentile, const Arch &arch)
    : method(method), percentile(percentile), lo(arch.adcLo()),
      hi(arch.adcHi()),
      // A half more than the floor loses nothing.
      rounding(arch.adcRounding() == Arch::Rounding::NearestEven
                   ? CIM_NEAREST_EVEN
                   : CIM_FLOOR) {
  auto square = [](const Arch::Figure &figure) {
    return figure.value * figure.value;
  };
  const Arch::Noise &noise = arch.noise();
  cells = square(noise.read) + square(noise.staticVariation);
  gain = square(noise.adcGain);
  conversion = square(noise.adcNoise) + square(noise.adcOffset);
}

static Code convert(const GainChoice &choice, double sum, float gain) {
  float scaled = static_cast<float>(sum) * gain;
  float rounded = choice.rounding == CIM_NEAREST_EVEN ? std::nearbyint(scaled)
                                                      : std::floor(scaled);
  double code = std::clamp(rounded, float(choice.lo), float(choice.hi));
  return {code, code * code};
}

/// Moments of the code of a normal x: a code j or above has the probability
/// that x reaches its threshold.
static Code convertNormal(const GainChoice &choice, double mean,
                          double deviation) {
  double half = choice.rounding == CIM_NEAREST_EVEN ? 0.5 : 0;
  auto bound = [&](double x) {
    return static_cast<int64_t>(
        std::clamp(std::floor(x), double(choice.lo), double(choice.hi)));
  };
  int64_t sure = bound(mean - reach * deviation + half);
  int64_t last = bound(mean + reach * deviation + half);
  int64_t stride = std::max<int64_t>(1, deviation / codesPerDeviation);
  Code code = {double(sure), double(sure) * double(sure)};
  for (int64_t j = sure + 1; j <= last; j += stride) {
    double count = double(std::min(stride, last - j + 1));
    double middle = double(j) + (count - 1) / 2;
    double below = (middle - half - mean) / (deviation * std::sqrt(2.0));
    double probability = count * std::erfc(below) / 2;
    code.mean += probability;
    code.square += probability * (2 * middle - 1);
  }
  return code;
}

/// The variance of `sum - code / gain` on chips without noise.
static double measureLoss(const GainChoice &choice, const Histogram &sums,
                          float gain) {
  Loss loss;
  for (auto [sum, weight] : sums)
    loss.add(weight, sum, convert(choice, sum, gain), gain);
  return loss.get();
}

/// The same with noise; the sums have the variance `power` times that of cells.
static double measureNoisyLoss(const GainChoice &choice, const Histogram &sums,
                               double power, double gain) {
  Loss loss;
  for (auto [sum, weight] : sums) {
    double variance =
        choice.conversion +
        gain * gain *
            (choice.cells * power + choice.gain * double(sum) * double(sum));
    Code code = variance > 0 ? convertNormal(choice, double(sum) * gain,
                                             std::sqrt(variance))
                             : convert(choice, sum, gain);
    loss.add(weight, sum, code, gain);
  }
  return loss.get();
}

/// Neighbouring sums become the mean sum of a bin.
static Histogram makeBins(const Histogram &sums) {
  int64_t lowest = sums.begin()->first;
  int64_t width = (sums.rbegin()->first - lowest) / noisyBins + 1;
  std::map<int64_t, std::pair<double, double>> bins; // weight, weighted sum
  for (auto [sum, weight] : sums) {
    auto &bin = bins[(sum - lowest) / width];
    bin.first += weight;
    bin.second += weight * double(sum);
  }
  Histogram result;
  for (const auto &[number, bin] : bins)
    if (bin.first > 0)
      result[std::llround(bin.second / bin.first)] += bin.first;
  return result;
}

/// The least magnitude that `percentile` % of the sums do not exceed.
static double findPercentile(const Histogram &sums, double percentile) {
  Histogram magnitudes;
  double total = 0, seen = 0;
  for (auto [sum, weight] : sums) {
    magnitudes[std::abs(sum)] += weight;
    total += weight;
  }
  for (auto [magnitude, weight] : magnitudes) {
    seen += weight;
    if (seen * 100 >= total * percentile)
      return double(magnitude);
  }
  return double(magnitudes.rbegin()->first);
}

/// The best of `clipPoints` gains between full scale at the largest sum and at
/// a sixteenth of it; the first of equals.
template <typename MeasureFn>
static float sweep(const GainChoice &choice, double largest, double most,
                   MeasureFn measure) {
  double best = std::numeric_limits<double>::infinity();
  float result = 1;
  for (int step = 0; step < clipPoints; ++step) {
    double clip = largest * std::exp2(-octaves * step / (clipPoints - 1));
    float gain = static_cast<float>(std::min(choice.hi / clip, most));
    double loss = measure(gain);
    if (loss < best) {
      best = loss;
      result = gain;
    }
  }
  return result;
}

float GainChoice::choose(const PlaneSums &sums) const {
  const Histogram &histogram = sums.histogram;
  if (histogram.empty())
    return 1;
  int64_t lowest = histogram.begin()->first,
          highest = histogram.rbegin()->first;
  double largest = double(std::max(std::abs(lowest), std::abs(highest)));
  bool isNoisy = method == GainMethod::Noise && sums.weight > 0 &&
                 cells + gain + conversion > 0;
  if (isNoisy && largest > 0) {
    Histogram bins = makeBins(histogram);
    double power = sums.power / sums.weight;
    // Noise of a converter counts less when sums are more codes: 1 is no limit.
    return sweep(*this, largest, hi, [&](float gain) {
      return measureNoisyLoss(*this, bins, power, gain);
    });
  }
  if (lowest >= lo && highest <= hi)
    return 1;
  switch (method) {
  case GainMethod::Max:
    return static_cast<float>(std::min(hi / largest, 1.0));
  case GainMethod::Percentile: {
    double clip = std::max(findPercentile(histogram, percentile), 1.0);
    return static_cast<float>(std::min(hi / clip, 1.0));
  }
  case GainMethod::MSE:
  case GainMethod::Noise:
    return sweep(*this, largest, 1, [&](float gain) {
      return measureLoss(*this, histogram, gain);
    });
  }
  llvm_unreachable("every method is handled");
}

} // namespace cim
