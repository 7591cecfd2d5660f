// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gradient descent on the parameters of a program.
#ifndef CIM_LIB_CALIBRATION_DESCENT_H
#define CIM_LIB_CALIBRATION_DESCENT_H

#include "ModelRunner.h"
#include "WindowSample.h"
#include <cmath>

namespace cim {

/// Adam (Kingma and Ba, ICLR 2015), with a rate of its own for each parameter.
class Adam {
public:
  explicit Adam(std::vector<double> rates)
      : rates(std::move(rates)), mean(this->rates.size()),
        square(this->rates.size()) {}

  /// `factor`: of all rates.
  void step(llvm::ArrayRef<double> gradient, double factor,
            llvm::MutableArrayRef<double> parameters) {
    constexpr double meanDecay = 0.9, squareDecay = 0.999, least = 1e-8;
    meanLeft *= meanDecay;
    squareLeft *= squareDecay;
    for (size_t i = 0; i < rates.size(); ++i) {
      mean[i] += (1 - meanDecay) * (gradient[i] - mean[i]);
      square[i] += (1 - squareDecay) * (gradient[i] * gradient[i] - square[i]);
      double deviation = std::sqrt(square[i] / (1 - squareLeft));
      parameters[i] -=
          factor * rates[i] * mean[i] / (1 - meanLeft) / (deviation + least);
    }
  }

private:
  std::vector<double> rates, mean, square;
  double meanLeft = 1, squareLeft = 1;
};

/// Which samples come together: all (but for a rest of less than a step), in a
/// random order, before any comes again.
class SampleOrder {
public:
  SampleOrder(llvm::ArrayRef<int64_t> samples, size_t count)
      : samples(samples), count(std::min(count, samples.size())) {}

  /// How many come together.
  int64_t size() const { return count; }

  /// The samples of step number `step`, until the next call.
  llvm::ArrayRef<int64_t> take(int64_t step) {
    if (left < count) {
      order.assign(samples.begin(), samples.end());
      left = order.size();
      for (uint64_t i = left - 1; i > 0; --i)
        std::swap(order[i],
                  order[WindowSample::mix(uint64_t(step) << 32 | i) % (i + 1)]);
    }
    left -= count;
    return llvm::ArrayRef(order).slice(left, count);
  }

private:
  llvm::ArrayRef<int64_t> samples;
  size_t count, left = 0;
  std::vector<int64_t> order;
};

/// What all samples bring for one argument of the program.
struct TuningInput {
  const char *data;
  int64_t bytesPerSample;
};

/// A program with parameters, and room for the samples of a run.
class ParametricNetwork {
public:
  /// `counts`: of the parameters of each argument.
  ParametricNetwork(CallRunner runner, llvm::ArrayRef<TuningInput> inputs,
                    llvm::ArrayRef<int64_t> counts, bool hasGradients)
      : runner(std::move(runner)), inputs(inputs), counts(counts),
        hasGradients(hasGradients), gathered(inputs.size()) {}

  /// The losses of some samples, until the next run; adds their gradients to
  /// `gradient`. Of `parameters` the first count.
  llvm::FailureOr<llvm::ArrayRef<float>>
  run(llvm::ArrayRef<int64_t> samples, llvm::ArrayRef<double> parameters,
      llvm::MutableArrayRef<double> gradient = {});

private:
  CallRunner runner;
  llvm::ArrayRef<TuningInput> inputs;
  llvm::SmallVector<int64_t> counts;
  bool hasGradients;
  std::vector<std::vector<char>> gathered;
  std::vector<float> theta, losses, gradients;
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_DESCENT_H
