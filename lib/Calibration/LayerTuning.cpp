// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scales and biases of all layers, moved for the sake of the network's outputs:
// Adam on the distance between the outputs of the mapped network and those of
// the float network.
#include "cim/Calibration/LayerTuning.h"
#include "MappedRun.h"
#include "ModelRunner.h"
#include "Progress.h"
#include "TuningProgram.h"
#include "WindowSample.h"
#include "cim/Dialect/NN/Transforms/SetBatch.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <numeric>

using namespace mlir;

namespace cim {

/// The schedule; docs/Accuracy.md says how it was found.
static constexpr int64_t batchSize = 32, maxSteps = 400, maxRounds = 40,
                         reviews = 16;
static constexpr double scaleRate = 0.002, biasRate = 0.008;
/// Every such sample is held back.
static constexpr int64_t heldEvery = 4;
/// Feature maps and gradients of a call stay below this.
static constexpr int64_t maxCallBytes = int64_t(1) << 28;

namespace {

/// Adam (Kingma and Ba, ICLR 2015), with a rate of its own for each parameter
/// that falls to 0 as half a cosine does.
class Adam {
public:
  explicit Adam(std::vector<double> rates)
      : rates(std::move(rates)), mean(this->rates.size()),
        square(this->rates.size()) {}

  /// `done`: the part of the schedule behind us.
  void step(ArrayRef<double> gradient, double done,
            MutableArrayRef<double> parameters) {
    constexpr double meanDecay = 0.9, squareDecay = 0.999, least = 1e-8;
    meanLeft *= meanDecay;
    squareLeft *= squareDecay;
    double rate = (1 + std::cos(llvm::numbers::pi * done)) / 2;
    for (size_t i = 0; i < rates.size(); ++i) {
      mean[i] += (1 - meanDecay) * (gradient[i] - mean[i]);
      square[i] += (1 - squareDecay) * (gradient[i] * gradient[i] - square[i]);
      double deviation = std::sqrt(square[i] / (1 - squareLeft));
      parameters[i] -=
          rate * rates[i] * mean[i] / (1 - meanLeft) / (deviation + least);
    }
  }

private:
  std::vector<double> rates, mean, square;
  double meanLeft = 1, squareLeft = 1;
};

/// Which samples come together: all, in a random order, before any comes again.
class SampleOrder {
public:
  explicit SampleOrder(ArrayRef<int64_t> samples)
      : samples(samples), count(std::min<size_t>(batchSize, samples.size())) {}

  /// How many come together.
  int64_t size() const { return count; }

  /// The samples of step number `step`, until the next call.
  ArrayRef<int64_t> take(int64_t step) {
    if (left < count) {
      order.assign(samples.begin(), samples.end());
      left = order.size();
      for (uint64_t i = left - 1; i > 0; --i)
        std::swap(order[i],
                  order[WindowSample::mix(uint64_t(step) << 32 | i) % (i + 1)]);
    }
    left -= count;
    return ArrayRef(order).slice(left, count);
  }

private:
  ArrayRef<int64_t> samples;
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
  ParametricNetwork(CallRunner runner, ArrayRef<TuningInput> inputs,
                    size_t parameterCount, bool hasGradients)
      : runner(std::move(runner)), inputs(inputs),
        parameterCount(parameterCount), hasGradients(hasGradients),
        gathered(inputs.size()) {}

  /// The losses of some samples, for now; adds their gradients to `gradient`.
  FailureOr<ArrayRef<float>> run(ArrayRef<int64_t> samples,
                                 ArrayRef<double> parameters,
                                 MutableArrayRef<double> gradient = {}) {
    SmallVector<const char *> from;
    for (auto [input, room] : llvm::zip_equal(inputs, gathered)) {
      room.resize(samples.size() * input.bytesPerSample);
      char *to = room.data();
      for (int64_t sample : samples)
        to = std::copy_n(input.data + sample * input.bytesPerSample,
                         input.bytesPerSample, to);
      from.push_back(room.data());
    }
    theta.resize(samples.size() * parameterCount);
    for (size_t i = 0; i < theta.size(); ++i)
      theta[i] = static_cast<float>(parameters[i % parameterCount]);
    from.push_back(reinterpret_cast<const char *>(theta.data()));
    losses.resize(samples.size());
    SmallVector<char *> to{reinterpret_cast<char *>(losses.data())};
    if (hasGradients) {
      gradients.resize(theta.size());
      to.push_back(reinterpret_cast<char *>(gradients.data()));
    }
    if (failed(runner.run(samples.size(), from, to)))
      return failure();
    // In the order of the samples: nothing depends on the number of threads.
    if (hasGradients)
      for (size_t i = 0; i < gradients.size(); ++i)
        gradient[i % parameterCount] += gradients[i];
    return ArrayRef(losses);
  }

private:
  CallRunner runner;
  ArrayRef<TuningInput> inputs;
  size_t parameterCount;
  bool hasGradients;
  std::vector<std::vector<char>> gathered;
  std::vector<float> theta, losses, gradients;
};

/// One network that is tuned.
class Tuner {
public:
  Tuner(ModuleOp mapped, const Arch &arch, StringRef target,
        const SampleData &samples,
        const std::vector<std::vector<float>> &wanted)
      : mapped(mapped), arch(arch), target(target), samples(samples),
        wanted(wanted) {}

  LogicalResult run(bool classes);

private:
  /// Why there is nothing to do, or an empty string.
  std::string findObstacle(bool classes);
  void collectInputs();
  FailureOr<ParametricNetwork> compile(ModuleOp network, bool gradients);
  LogicalResult descend(ParametricNetwork &steep, ParametricNetwork &review);
  /// The losses of the samples held back.
  FailureOr<std::vector<double>> measureHeld(ParametricNetwork &review);
  void writeBack();

  ModuleOp mapped;
  const Arch &arch;
  StringRef target;
  const SampleData &samples;
  const std::vector<std::vector<float>> &wanted;

  std::vector<TunedLayer> layers;
  std::vector<TunedOutput> outputs;
  std::vector<TuningInput> inputs;
  std::vector<int64_t> seen, held; // samples
  /// Programs, and those compiled, which must outlive what runs them.
  std::vector<OwningOpRef<ModuleOp>> programs;
  std::vector<std::unique_ptr<ModelRunner>> models;

  /// Of each layer the logarithms of factors, then the changes of biases.
  std::vector<double> parameters, rates;
};

} // namespace

/// The mean square of `values`, or of the logarithms of these probabilities.
static double computeEnergy(ArrayRef<float> values, bool areProbabilities) {
  double sum = 0;
  for (double value : values) {
    if (areProbabilities)
      value = std::log(std::max<double>(value, leastProbability));
    sum += value * value;
  }
  return sum / double(values.size());
}

std::string Tuner::findObstacle(bool classes) {
  constexpr int64_t fewest = 8;
  if (samples.count < fewest)
    return llvm::formatv("expected at least {0} samples, but got {1}", fewest,
                         samples.count);
  for (auto [number, values] : llvm::enumerate(wanted)) {
    if (values.empty())
      continue;
    TunedOutput output = describeOutput(mapped, number, classes);
    output.energy = computeEnergy(values, output.isSoftmax);
    if (!std::isfinite(output.energy))
      return "outputs of the float network are not finite";
    if (output.energy > 0)
      outputs.push_back(output);
  }
  return outputs.empty() ? "no output in float varies" : "";
}

void Tuner::collectInputs() {
  for (const npy::Array &input : samples.inputs)
    inputs.push_back({reinterpret_cast<const char *>(input.bytes.data()),
                      int64_t(input.bytes.size()) / input.shape.front()});
  for (const TunedOutput &output : outputs) {
    const std::vector<float> &values = wanted[output.number];
    inputs.push_back({reinterpret_cast<const char *>(values.data()),
                      int64_t(values.size() * sizeof(float)) / samples.count});
  }
  for (int64_t i = 0; i < samples.count; ++i)
    (i % heldEvery == heldEvery - 1 ? held : seen).push_back(i);
  for (const TunedLayer &layer : layers) {
    rates.insert(rates.end(), layer.deviation.size(), scaleRate);
    rates.insert(rates.end(), layer.deviation.size(), biasRate);
  }
  parameters.assign(rates.size(), 0);
}

/// Samples per call, so that a minibatch is several calls.
static int64_t chooseCallSize(ModuleOp module) {
  int64_t bytes = 0, batch = nn::getBatch(module);
  module.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (auto tensor = dyn_cast<RankedTensorType>(type))
        bytes += tensor.getNumElements() * sizeof(float);
  });
  constexpr int64_t most = 8;
  // Gradients take as much again, and more for what they are made of.
  return std::clamp<int64_t>(maxCallBytes / (3 * bytes / batch + 1), 1, most);
}

/// Builds the program in `module`; what has no gradient is one error at it.
static LogicalResult
buildProgram(ModuleOp module, ArrayRef<TunedOutput> outputs, bool gradients) {
  std::optional<std::pair<Location, std::string>> problem;
  {
    ScopedDiagnosticHandler collect(
        module.getContext(), [&](Diagnostic &diagnostic) {
          if (!problem)
            problem.emplace(diagnostic.getLocation(), diagnostic.str());
          return success();
        });
    if (succeeded(buildTuningProgram(module, outputs, gradients)))
      return success();
  }
  return emitError(problem->first)
         << "cannot tune: " << problem->second << "; compile without --tune";
}

FailureOr<ParametricNetwork> Tuner::compile(ModuleOp network, bool gradients) {
  OwningOpRef<ModuleOp> program = network.clone();
  if (failed(buildProgram(*program, outputs, gradients)))
    return failure();
  PassManager pm(program->getContext());
  buildTrialPipeline(pm, target);
  if (failed(pm.run(*program)))
    return failure();
  FailureOr<ModelRunner> model = ModelRunner::compile(*program, arch);
  if (failed(model))
    return failure();
  programs.push_back(std::move(program));
  models.push_back(std::make_unique<ModelRunner>(std::move(*model)));
  FailureOr<CallRunner> runner =
      CallRunner::create(*models.back(), batchSize / nn::getBatch(network));
  if (failed(runner))
    return failure();
  return ParametricNetwork(std::move(*runner), inputs, parameters.size(),
                           gradients);
}

FailureOr<std::vector<double>> Tuner::measureHeld(ParametricNetwork &review) {
  std::vector<double> losses;
  for (ArrayRef<int64_t> left = held; !left.empty();) {
    ArrayRef<int64_t> part = left.take_front(batchSize);
    FailureOr<ArrayRef<float>> found = review.run(part, parameters);
    if (failed(found))
      return failure();
    losses.insert(losses.end(), found->begin(), found->end());
    left = left.drop_front(part.size());
  }
  return losses;
}

static double getMean(ArrayRef<double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         double(values.size());
}

/// Whether samples gained on average, by more than the standard error.
static bool isGain(ArrayRef<double> before, ArrayRef<double> after) {
  double gain = getMean(before) - getMean(after), squares = 0;
  double count = double(before.size());
  for (auto [was, is] : llvm::zip_equal(before, after))
    squares += (was - is - gain) * (was - is - gain);
  return gain > std::sqrt(squares / (count * std::max(count - 1, 1.0)));
}

LogicalResult Tuner::descend(ParametricNetwork &steep,
                             ParametricNetwork &review) {
  FailureOr<std::vector<double>> first = measureHeld(review);
  if (failed(first))
    return failure();
  std::vector<double> start = parameters, best = parameters;
  std::vector<double> losses = *first, gradient(parameters.size());
  Adam adam(rates);
  SampleOrder order(seen);
  int64_t steps =
      std::min<int64_t>(maxSteps, maxRounds * seen.size() / order.size());
  Progress progress("tuning: step", steps);
  for (int64_t step = 0; step < steps; ++step) {
    progress.step();
    ArrayRef<int64_t> batch = order.take(step);
    llvm::fill(gradient, 0);
    if (failed(steep.run(batch, parameters, gradient)))
      return failure();
    for (double &value : gradient)
      value /= double(batch.size());
    // Such as that of a square root at 0: nothing can follow it.
    if (!llvm::all_of(gradient, [](double v) { return std::isfinite(v); }))
      break;
    adam.step(gradient, double(step) / double(steps), parameters);
    if ((step + 1) * reviews / steps == step * reviews / steps)
      continue;
    FailureOr<std::vector<double>> found = measureHeld(review);
    if (failed(found))
      return failure();
    if (getMean(*found) < getMean(losses)) {
      losses = std::move(*found);
      best = parameters;
    }
  }
  bool isBetter = isGain(*first, losses);
  parameters = isBetter ? best : start;
  mapped.emitRemark(llvm::formatv(
      "{0}: on {1} samples held back the outputs' distance from float was {2} "
      "and {3} {4}",
      isBetter ? "scales and biases are tuned"
               : "scales and biases stay as they are",
      held.size(), llvm::format("%.4g", getMean(*first)),
      isBetter ? "is" : "would be", llvm::format("%.4g", getMean(losses))));
  return success();
}

void Tuner::writeBack() {
  const double *at = parameters.data();
  for (TunedLayer &layer : layers) {
    size_t channels = layer.deviation.size();
    if (!layer.isTuned())
      continue;
    for (size_t n = 0; n < channels; ++n) {
      layer.scale[n] *= std::exp(at[n]);
      layer.bias[n] += at[channels + n] * layer.deviation[n];
    }
    at += 2 * channels;
    setEpilogue(layer.op, layer.scale, layer.bias);
  }
}

LogicalResult Tuner::run(bool classes) {
  FailureOr<std::vector<TunedLayer>> found = collectTunedLayers(mapped);
  if (failed(found))
    return failure();
  layers = std::move(*found);
  if (llvm::none_of(layers, [](const auto &layer) { return layer.isTuned(); }))
    return success();
  std::string obstacle = findObstacle(classes);
  OwningOpRef<ModuleOp> network = mapped.clone();
  if (obstacle.empty() && !rebatch(*network, chooseCallSize(mapped)))
    obstacle = "samples are not independent along the leading dimension";
  if (!obstacle.empty()) {
    mapped.emitRemark("scales and biases are not tuned: ") << obstacle;
    return success();
  }
  collectInputs();
  FailureOr<ParametricNetwork> steep = compile(*network, /*gradients=*/true);
  if (failed(steep))
    return failure();
  FailureOr<ParametricNetwork> review = compile(*network, /*gradients=*/false);
  if (failed(review) || failed(descend(*steep, *review)))
    return failure();
  writeBack();
  return success();
}

FailureOr<LayerTuning> LayerTuning::create(ModuleOp network, const Arch &arch,
                                           StringRef samples, int64_t limit) {
  FailureOr<SampleData> loaded = loadSamples(network, samples, limit);
  if (failed(loaded))
    return failure();
  FailureOr<ModelRunner> runner = ModelRunner::compile(network, arch);
  if (failed(runner))
    return failure();
  FailureOr<std::vector<std::vector<float>>> outputs =
      runner->evaluate(*loaded);
  if (failed(outputs))
    return failure();
  LayerTuning tuning;
  tuning.samples = std::make_shared<const SampleData>(std::move(*loaded));
  tuning.outputs = std::move(*outputs);
  return tuning;
}

LogicalResult LayerTuning::run(ModuleOp mapped, const Arch &arch,
                               StringRef target, bool classes) const {
  return Tuner(mapped, arch, target, *samples, outputs).run(classes);
}

} // namespace cim
