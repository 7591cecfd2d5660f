// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scales, biases and cells of all layers, moved for the sake of the network's
// outputs: Adam on the distance between the outputs of the mapped network and
// those of the float network.
#include "cim/Calibration/LayerTuning.h"
#include "CellRounding.h"
#include "Descent.h"
#include "MappedRun.h"
#include "Progress.h"
#include "TuningProgram.h"
#include "cim/Dialect/NN/Transforms/SetBatch.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;

namespace cim {

/// The schedules; docs/Accuracy.md says how they were found.
static constexpr int64_t batchSize = 32, maxSteps = 400, maxRounds = 40,
                         reviews = 16;
static constexpr double scaleRate = 0.002, biasRate = 0.008;
static constexpr int64_t cellSteps = 2000, stepsPerRounding = 5;
static constexpr double cellRate = 0.006, rateWhileRounding = 0.5;
static constexpr int64_t mixturesPerSample = 8, maxMixtureBytes = int64_t(1)
                                                                  << 28;
/// Every such sample is held back.
static constexpr int64_t heldEvery = 4;
/// Feature maps and gradients of a call stay below this.
static constexpr int64_t maxCallBytes = int64_t(1) << 28;

/// Samples, mixtures of them behind, and what the float network makes of all.
struct TuningSamples {
  SampleData data;
  int64_t total; // with mixtures; `data.count` without
  /// Values of every output, sample behind sample; none of what is not float.
  std::vector<std::vector<float>> wanted;
};

namespace {

/// One network that is tuned.
class Tuner {
public:
  Tuner(ModuleOp mapped, const Arch &arch, StringRef target,
        const TuningSamples &samples, bool classes)
      : mapped(mapped), arch(arch), target(target), samples(samples),
        classes(classes) {}

  LogicalResult run(bool withCells);

private:
  /// False, with a remark, when there is nothing to tune.
  FailureOr<bool> prepare(bool withCells);
  /// Why there is nothing to do, or an empty string.
  std::string findObstacle();
  void collectInputs();
  /// Samples per call; `whole`: they divide those of a step.
  int64_t chooseCallSize(bool whole);
  FailureOr<ParametricNetwork> compile(bool gradients, bool withCells);

  LogicalResult tuneTables();
  LogicalResult tuneCells();
  /// Moves scales and biases; `best` are the losses of the samples held back,
  /// which were `first`.
  LogicalResult descend(std::vector<double> &first, std::vector<double> &best);
  /// Moves cells, scales and biases, until all cells are integers again.
  LogicalResult roundCells();
  /// Adds the next step's gradient; false when nothing can follow it.
  FailureOr<bool> step(ParametricNetwork &steep, SampleOrder &order,
                       int64_t number, std::vector<double> &gradient);
  FailureOr<std::vector<double>> measureHeld(ParametricNetwork &review);
  void writeBack();

  ModuleOp mapped;
  const Arch &arch;
  StringRef target;
  const TuningSamples &samples;
  bool classes;

  TunedNetwork network;
  std::vector<TunedOutput> outputs;
  std::vector<TuningInput> inputs;
  std::vector<int64_t> seen, mixed, held; // samples
  /// Programs, and those compiled, which must outlive what runs them.
  std::vector<OwningOpRef<ModuleOp>> programs;
  std::vector<std::unique_ptr<ModelRunner>> models;

  /// Of each layer the logarithms of factors, then the changes of biases; then
  /// the cells of each matrix.
  std::vector<double> parameters;
  std::vector<double> losses; // of samples held back
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

std::string Tuner::findObstacle() {
  constexpr int64_t fewest = 8;
  if (samples.data.count < fewest)
    return llvm::formatv("expected at least {0} samples, but got {1}", fewest,
                         samples.data.count);
  for (auto [number, values] : llvm::enumerate(samples.wanted)) {
    if (values.empty())
      continue;
    TunedOutput output = describeOutput(mapped, number, classes);
    ArrayRef<float> own = ArrayRef(values).take_front(
        values.size() / samples.total * samples.data.count);
    output.energy = computeEnergy(own, output.isSoftmax);
    if (!std::isfinite(output.energy))
      return "outputs of the float network are not finite";
    if (output.energy > 0)
      outputs.push_back(output);
  }
  if (outputs.empty())
    return "no output in float varies";
  OwningOpRef<ModuleOp> copy = mapped.clone();
  return rebatch(*copy, 1)
             ? ""
             : "samples are not independent along the leading dimension";
}

FailureOr<bool> Tuner::prepare(bool withCells) {
  FailureOr<TunedNetwork> found = collectTuned(mapped, arch, withCells);
  if (failed(found))
    return failure();
  network = std::move(*found);
  if (network.countTables() == 0)
    return false;
  if (std::string obstacle = findObstacle(); !obstacle.empty()) {
    mapped.emitRemark("scales and biases are not tuned: ") << obstacle;
    return false;
  }
  collectInputs();
  parameters.assign(network.countTables(), 0);
  for (const TunedMatrix &matrix : network.matrices)
    llvm::append_range(parameters, matrix.cells);
  return true;
}

void Tuner::collectInputs() {
  for (const npy::Array &input : samples.data.inputs)
    inputs.push_back({reinterpret_cast<const char *>(input.bytes.data()),
                      int64_t(input.bytes.size()) / input.shape.front()});
  for (const TunedOutput &output : outputs) {
    const std::vector<float> &values = samples.wanted[output.number];
    inputs.push_back({reinterpret_cast<const char *>(values.data()),
                      int64_t(values.size() * sizeof(float)) / samples.total});
  }
  for (int64_t i = 0; i < samples.data.count; ++i)
    (i % heldEvery == heldEvery - 1 ? held : seen).push_back(i);
  mixed = seen;
  llvm::append_range(mixed, llvm::seq(samples.data.count, samples.total));
}

int64_t Tuner::chooseCallSize(bool whole) {
  int64_t bytes = 0, batch = nn::getBatch(mapped);
  mapped.walk([&](Operation *op) {
    int64_t count = 0;
    for (Type type : op->getResultTypes())
      if (auto tensor = dyn_cast<RankedTensorType>(type))
        count += tensor.getNumElements();
    // Windows of their own, where cells are parameters.
    if (auto mvm = dyn_cast<MvmOp>(op); mvm && whole)
      count += mvm.getInput().getType().getNumElements() * mvm.getKernel()[0] *
               mvm.getKernel()[1];
    bytes += count * sizeof(float);
  });
  constexpr int64_t most = 8;
  // Gradients take as much again, and more for what they are made of.
  int64_t size =
      std::clamp<int64_t>(maxCallBytes / (3 * bytes / batch + 1), 1, most);
  while (whole && std::min<int64_t>(batchSize, mixed.size()) % size != 0)
    --size;
  return size;
}

/// Builds the program in `module`; what has no gradient is one error at it.
static LogicalResult buildProgram(ModuleOp module, const Arch &arch,
                                  ArrayRef<TunedOutput> outputs, bool gradients,
                                  bool withCells) {
  std::optional<std::pair<Location, std::string>> problem;
  {
    ScopedDiagnosticHandler collect(
        module.getContext(), [&](Diagnostic &diagnostic) {
          if (!problem)
            problem.emplace(diagnostic.getLocation(), diagnostic.str());
          return success();
        });
    if (succeeded(
            buildTuningProgram(module, arch, outputs, gradients, withCells)))
      return success();
  }
  return emitError(problem->first)
         << "cannot tune: " << problem->second << "; compile without --tune";
}

FailureOr<ParametricNetwork> Tuner::compile(bool gradients, bool withCells) {
  OwningOpRef<ModuleOp> program = mapped.clone();
  int64_t callSize = chooseCallSize(/*whole=*/withCells);
  if (!rebatch(*program, callSize) ||
      failed(buildProgram(*program, arch, outputs, gradients, withCells)))
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
      CallRunner::create(*models.back(), batchSize / callSize);
  if (failed(runner))
    return failure();
  return ParametricNetwork(std::move(*runner), inputs,
                           network.countTables() +
                               (withCells ? network.countCells() : 0),
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

FailureOr<bool> Tuner::step(ParametricNetwork &steep, SampleOrder &order,
                            int64_t number, std::vector<double> &gradient) {
  ArrayRef<int64_t> batch = order.take(number);
  llvm::fill(gradient, 0);
  if (failed(steep.run(batch, parameters, gradient)))
    return failure();
  for (double &value : gradient)
    value /= double(batch.size());
  // Such as that of a square root at 0: nothing can follow it.
  return llvm::all_of(gradient, [](double v) { return std::isfinite(v); });
}

/// The rates of tables, then of cells.
static std::vector<double> makeRates(const TunedNetwork &network,
                                     bool withCells) {
  std::vector<double> rates;
  for (const TunedLayer &layer : network.layers) {
    rates.insert(rates.end(), layer.deviation.size(), scaleRate);
    rates.insert(rates.end(), layer.deviation.size(), biasRate);
  }
  if (withCells)
    rates.resize(rates.size() + network.countCells(), cellRate);
  return rates;
}

LogicalResult Tuner::descend(std::vector<double> &first,
                             std::vector<double> &best) {
  FailureOr<ParametricNetwork> steep =
      compile(/*gradients=*/true, /*withCells=*/false);
  if (failed(steep))
    return failure();
  FailureOr<ParametricNetwork> review =
      compile(/*gradients=*/false, /*withCells=*/false);
  if (failed(review))
    return failure();
  FailureOr<std::vector<double>> start = measureHeld(*review);
  if (failed(start))
    return failure();
  first = best = *start;
  parameters.resize(network.countTables());
  std::vector<double> chosen = parameters, gradient(parameters.size());
  Adam adam(makeRates(network, /*withCells=*/false));
  SampleOrder order(seen, batchSize);
  int64_t steps =
      std::min<int64_t>(maxSteps, maxRounds * seen.size() / order.size());
  Progress progress("tuning: step", steps);
  for (int64_t number = 0; number < steps; ++number) {
    progress.step();
    FailureOr<bool> canFollow = step(*steep, order, number, gradient);
    if (failed(canFollow))
      return failure();
    if (!*canFollow)
      break;
    double done = double(number) / double(steps);
    adam.step(gradient, (1 + std::cos(llvm::numbers::pi * done)) / 2,
              parameters);
    if ((number + 1) * reviews / steps == number * reviews / steps)
      continue;
    FailureOr<std::vector<double>> found = measureHeld(*review);
    if (failed(found))
      return failure();
    if (getMean(*found) < getMean(best)) {
      best = std::move(*found);
      chosen = parameters;
    }
  }
  parameters = std::move(chosen);
  return success();
}

/// Says what became of `what`.
static void remark(ModuleOp module, StringRef what, ArrayRef<double> before,
                   ArrayRef<double> after, bool isBetter) {
  module.emitRemark(llvm::formatv(
      "{0} {1}: on {2} samples held back the outputs' distance from float was "
      "{3} and {4} {5}",
      what, isBetter ? "are tuned" : "stay as they are", before.size(),
      llvm::format("%.4g", getMean(before)), isBetter ? "is" : "would be",
      llvm::format("%.4g", getMean(after))));
}

LogicalResult Tuner::tuneTables() {
  std::vector<double> first, best;
  if (failed(descend(first, best)))
    return failure();
  bool isBetter = isGain(first, best);
  remark(mapped, "scales and biases", first, best, isBetter);
  if (isBetter)
    writeBack();
  losses = isBetter ? best : first;
  return success();
}

LogicalResult Tuner::roundCells() {
  FailureOr<ParametricNetwork> steep =
      compile(/*gradients=*/true, /*withCells=*/true);
  if (failed(steep))
    return failure();
  CellRounding rounding(network);
  std::vector<double> gradient(parameters.size());
  Adam adam(makeRates(network, /*withCells=*/true));
  SampleOrder order(mixed, batchSize);
  Progress progress("tuning cells: step", cellSteps);
  for (int64_t number = 0; number < cellSteps; ++number) {
    progress.step();
    if (number % stepsPerRounding == 0)
      rounding.round(double(number) / double(cellSteps), parameters);
    FailureOr<bool> canFollow = step(*steep, order, number, gradient);
    if (failed(canFollow))
      return failure();
    if (!*canFollow)
      break;
    adam.step(gradient, rateWhileRounding, parameters);
    rounding.settle(parameters);
  }
  rounding.round(1, parameters);
  ArrayRef<double> cells =
      ArrayRef(parameters).drop_front(network.countTables());
  for (const TunedMatrix &matrix : network.matrices) {
    if (failed(setCells(matrix, cells.take_front(matrix.cells.size()))))
      return failure();
    cells = cells.drop_front(matrix.cells.size());
  }
  writeBack();
  return success();
}

LogicalResult Tuner::tuneCells() {
  OwningOpRef<ModuleOp> copy = mapped.clone();
  Tuner other(*copy, arch, target, samples, classes);
  std::vector<double> first, best;
  if (failed(other.prepare(/*withCells=*/true)))
    return failure();
  if (other.network.matrices.empty()) {
    mapped.emitRemark("no cells are tuned: no matrix has cells in columns of "
                      "their own, in layers that are tuned");
    return success();
  }
  if (failed(other.roundCells()) || failed(other.descend(first, best)))
    return failure();
  other.writeBack();
  bool isBetter = isGain(losses, best);
  remark(mapped, "cells", losses, best, isBetter);
  if (isBetter)
    mapped.getBodyRegion().takeBody(copy->getBodyRegion());
  return success();
}

void Tuner::writeBack() {
  double *at = parameters.data();
  for (TunedLayer &layer : network.layers) {
    size_t channels = layer.deviation.size();
    if (!layer.isTuned())
      continue;
    for (size_t n = 0; n < channels; ++n) {
      layer.scale[n] *= std::exp(at[n]);
      layer.bias[n] += at[channels + n] * layer.deviation[n];
    }
    std::fill_n(at, 2 * channels, 0);
    at += 2 * channels;
    setEpilogue(layer.op, layer.scale, layer.bias);
  }
}

LogicalResult Tuner::run(bool withCells) {
  FailureOr<bool> canTune = prepare(/*withCells=*/false);
  if (failed(canTune))
    return failure();
  if (!*canTune)
    return success();
  if (failed(tuneTables()))
    return failure();
  return withCells ? tuneCells() : success();
}

/// Puts mixtures `t a + (1 - t) b` behind the samples; a, b are any that are
/// not held back, t is as often near 0 and 1 as the arcsine distribution says.
/// None of samples that are not all of 32-bit floats. How many there are then.
static int64_t addMixtures(SampleData &samples) {
  int64_t count = samples.count, bytes = 0;
  for (npy::Array &input : samples.inputs) {
    if (input.type != npy::Type::F32)
      return count;
    bytes += input.bytes.size() / input.shape.front();
  }
  int64_t mixtures = std::min(mixturesPerSample * count,
                              maxMixtureBytes / std::max<int64_t>(bytes, 1));
  auto draw = [](uint64_t i) {
    return double(WindowSample::mix(i) >> 11) * 0x1p-53;
  };
  auto drawSeen = [&](uint64_t i) {
    int64_t sample = int64_t(draw(i) * double(count));
    return sample % heldEvery == heldEvery - 1 ? sample - 1 : sample;
  };
  for (npy::Array &input : samples.inputs) {
    int64_t size = input.bytes.size() / input.shape.front();
    input.bytes.resize((count + mixtures) * size);
    input.shape.front() = count + mixtures;
    auto at = [&](int64_t sample) {
      return reinterpret_cast<float *>(input.bytes.data() + sample * size);
    };
    for (int64_t m = 0; m < mixtures; ++m) {
      const float *a = at(drawSeen(3 * m)), *b = at(drawSeen(3 * m + 1));
      double root = std::sin(llvm::numbers::pi / 2 * draw(3 * m + 2));
      auto t = static_cast<float>(root * root);
      float *to = at(count + m);
      for (int64_t i = 0; i < size / int64_t(sizeof(float)); ++i)
        to[i] = t * a[i] + (1 - t) * b[i];
    }
  }
  return count + mixtures;
}

FailureOr<LayerTuning> LayerTuning::create(ModuleOp network, const Arch &arch,
                                           StringRef samples, int64_t limit,
                                           Tuning tuning) {
  FailureOr<SampleData> loaded = loadSamples(network, samples, limit);
  if (failed(loaded))
    return failure();
  FailureOr<ModelRunner> runner = ModelRunner::compile(network, arch);
  if (failed(runner))
    return failure();
  int64_t count = loaded->count;
  if (tuning == Tuning::Cells)
    loaded->count = addMixtures(*loaded);
  FailureOr<std::vector<std::vector<float>>> outputs =
      runner->evaluate(*loaded);
  if (failed(outputs))
    return failure();
  LayerTuning result;
  int64_t total = loaded->count;
  loaded->count = count;
  result.tuning = tuning;
  result.samples = std::make_shared<const TuningSamples>(
      TuningSamples{std::move(*loaded), total, std::move(*outputs)});
  return result;
}

LogicalResult LayerTuning::run(ModuleOp mapped, const Arch &arch,
                               StringRef target, bool classes) const {
  return Tuner(mapped, arch, target, *samples, classes)
      .run(tuning == Tuning::Cells);
}

} // namespace cim
