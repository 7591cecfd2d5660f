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
#include "TuningSamples.h"
#include "cim/Dialect/NN/Transforms/SetBatch.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;

namespace cim {

/// The schedules; docs/Accuracy.md says how they were found.
static constexpr int64_t mostPerStep = 32, windowsPerStep = 1024,
                         maxSteps = 400, maxRounds = 40, reviews = 16;
static constexpr double scaleRate = 0.002, biasRate = 0.008;
static constexpr int64_t fewestCellSteps = 2000, mostCellSteps = 12000,
                         stepsPerRounding = 5;
/// Products, forward: what all steps together should take, and what they may.
static constexpr double wantedProducts = 0x1p37, mostProducts = 0x1p43;
/// A step has a gradient of each cell for every sample.
static constexpr int64_t mostCells = int64_t(1) << 22;
static constexpr double cellRate = 0.012, rateWhileRounding = 0.5;
/// A step is at least this many calls, which can run at the same time; the
/// feature maps and gradients of one stay below this.
static constexpr int64_t callsPerStep = 4;
static constexpr int64_t maxCallBytes = int64_t(1) << 28;

namespace {

/// The losses of judges.
struct Outcome {
  std::vector<double> before, after;
};

/// One network that is tuned.
class Tuner {
public:
  Tuner(ModuleOp mapped, const Arch &arch, StringRef target,
        const TuningSamples &samples, bool classes, bool withCells)
      : mapped(mapped), arch(arch), target(target), samples(samples),
        classes(classes), withCells(withCells),
        seen(samples.list(/*held=*/false, /*mixtures=*/withCells)),
        judges(samples.list(/*held=*/true, /*mixtures=*/withCells)) {}

  /// False, with a remark, when there is nothing to tune.
  FailureOr<bool> prepare();
  /// Moves scales and biases, if that is a gain.
  LogicalResult tuneTables();
  /// Learns from samples held back as well, which still are the judges.
  void learnFromAll();
  /// Moves cells, scales and biases; whether that is a gain over `losses` of
  /// judges (none: those of the network as it is), which then become its own.
  FailureOr<bool> tuneCells(std::vector<double> &losses);

private:
  /// Why there is nothing to do, or an empty string.
  std::string findObstacle();
  void collectInputs();
  /// Samples per step: most, or as many as have enough windows of every layer.
  int64_t chooseStepSize();
  /// Samples per call; with `open` cells they divide those of a step.
  int64_t chooseCallSize(bool open);
  /// The program with its gradients, or what reviews use.
  FailureOr<ParametricNetwork> compile(bool gradients, bool open = false);

  /// Moves scales and biases to where judges lose least on a descent.
  FailureOr<Outcome> descend();
  /// Products for one sample, and elements of what needs none.
  double countProducts();
  /// 0, with a remark, when cells are too many.
  int64_t chooseCellSteps();
  /// Moves cells, scales and biases, until all cells are integers again; false,
  /// with a remark, where gradients are not finite.
  FailureOr<bool> roundCells(int64_t steps);
  /// Adds the next step's gradient; false when nothing can follow it.
  FailureOr<bool> step(ParametricNetwork &steep, SampleOrder &order,
                       int64_t number, std::vector<double> &gradient);
  /// The losses of judges, for now.
  FailureOr<std::vector<double>> judge();
  void writeBack();

  ModuleOp mapped;
  const Arch &arch;
  StringRef target;
  const TuningSamples &samples;
  bool classes, withCells;
  /// Numbers of samples to learn from, and of those that are measured.
  std::vector<int64_t> seen, judges;
  StringRef kindOfJudges = "held back";
  int64_t stepSize = 0; // samples

  TunedNetwork network;
  std::vector<TunedOutput> outputs;
  std::vector<TuningInput> inputs;
  /// Programs, and those compiled, which must outlive what runs them.
  std::vector<OwningOpRef<ModuleOp>> programs;
  std::vector<std::unique_ptr<ModelRunner>> models;
  /// What judges see.
  std::optional<ParametricNetwork> review;

  /// Of each layer the logarithms of factors, then the changes of biases; then
  /// the cells of each matrix.
  std::vector<double> parameters;
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
  if (network.countTables() == 0)
    return "no layer on the arrays arrived in float";
  if (samples.data.count < fewest)
    return llvm::formatv("expected at least {0} samples, but got {1}", fewest,
                         samples.data.count);
  for (auto [number, values] : llvm::enumerate(samples.wanted)) {
    if (values.empty())
      continue;
    TunedOutput output = describeOutput(mapped, number, classes);
    int64_t perSample = values.size() / samples.total;
    output.energy = computeEnergy(
        ArrayRef(values).take_front(perSample * samples.data.count),
        output.isSoftmax);
    if (!std::isfinite(output.energy))
      return "outputs of the float network are not finite";
    if (withCells &&
        !llvm::all_of(values, [](float v) { return std::isfinite(v); }))
      return "outputs of the float network on mixtures are not finite";
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

FailureOr<bool> Tuner::prepare() {
  FailureOr<TunedNetwork> found = collectTuned(mapped, arch, withCells);
  if (failed(found))
    return failure();
  network = std::move(*found);
  if (std::string obstacle = findObstacle(); !obstacle.empty()) {
    mapped.emitRemark(withCells ? "cells" : "scales and biases")
        << " are not tuned: " << obstacle;
    return false;
  }
  collectInputs();
  stepSize = chooseStepSize();
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
}

int64_t Tuner::chooseStepSize() {
  int64_t fewest = windowsPerStep;
  for (const TunedLayer &layer : network.layers) {
    MvmOp op = layer.op;
    ArrayRef<int64_t> shape = op.getType().getShape();
    fewest = std::min(fewest, shape[1] * shape[2]);
  }
  int64_t wanted = windowsPerStep / std::max<int64_t>(fewest, 1);
  return std::clamp(wanted - wanted % callsPerStep, callsPerStep, mostPerStep);
}

int64_t Tuner::chooseCallSize(bool open) {
  int64_t bytes = 0, batch = nn::getBatch(mapped);
  mapped.walk([&](Operation *op) {
    int64_t count = 0;
    for (Type type : op->getResultTypes())
      if (auto tensor = dyn_cast<RankedTensorType>(type))
        count += tensor.getNumElements();
    // Windows of their own, where cells are parameters.
    if (auto mvm = dyn_cast<MvmOp>(op); mvm && open)
      count += mvm.getInput().getType().getNumElements() * mvm.getKernel()[0] *
               mvm.getKernel()[1];
    bytes += count * sizeof(float);
  });
  if (open)
    bytes += batch * network.countCells() * sizeof(float);
  // Gradients take as much again, and more for what they are made of.
  int64_t size = std::clamp<int64_t>(maxCallBytes / (3 * bytes / batch + 1), 1,
                                     stepSize / callsPerStep);
  while (open && std::min<int64_t>(stepSize, seen.size()) % size != 0)
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

FailureOr<ParametricNetwork> Tuner::compile(bool gradients, bool open) {
  OwningOpRef<ModuleOp> program = mapped.clone();
  int64_t callSize = chooseCallSize(open);
  if (!rebatch(*program, callSize) ||
      failed(buildProgram(*program, arch, outputs, gradients, open)))
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
      CallRunner::create(*models.back(), stepSize / callSize);
  if (failed(runner))
    return failure();
  return ParametricNetwork(std::move(*runner), inputs,
                           network.listParameters(open), gradients);
}

FailureOr<std::vector<double>> Tuner::judge() {
  std::vector<double> losses;
  if (!review) {
    FailureOr<ParametricNetwork> compiled = compile(/*gradients=*/false);
    if (failed(compiled))
      return failure();
    review = std::move(*compiled);
  }
  for (ArrayRef<int64_t> left = judges; !left.empty();) {
    ArrayRef<int64_t> part = left.take_front(mostPerStep);
    FailureOr<ArrayRef<float>> found = review->run(part, parameters);
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
static bool isGain(const Outcome &outcome) {
  double gain = getMean(outcome.before) - getMean(outcome.after), squares = 0;
  double count = double(outcome.before.size());
  for (auto [was, is] : llvm::zip_equal(outcome.before, outcome.after))
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

/// The rates of scales and biases.
static std::vector<double> makeRates(const TunedNetwork &network) {
  std::vector<double> rates;
  for (const TunedLayer &layer : network.layers) {
    rates.insert(rates.end(), layer.deviation.size(), scaleRate);
    rates.insert(rates.end(), layer.deviation.size(), biasRate);
  }
  return rates;
}

FailureOr<Outcome> Tuner::descend() {
  FailureOr<ParametricNetwork> steep = compile(/*gradients=*/true);
  if (failed(steep))
    return failure();
  parameters.assign(network.countTables(), 0);
  FailureOr<std::vector<double>> first = judge();
  if (failed(first))
    return failure();
  Outcome outcome{*first, *first};
  std::vector<double> chosen = parameters, gradient(parameters.size());
  Adam adam(makeRates(network));
  SampleOrder order(seen, stepSize);
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
    FailureOr<std::vector<double>> found = judge();
    if (failed(found))
      return failure();
    if (getMean(*found) < getMean(outcome.after)) {
      outcome.after = std::move(*found);
      chosen = parameters;
    }
  }
  parameters = std::move(chosen);
  return outcome;
}

/// Says what became of `what`, judged by `judges`.
static void remark(ModuleOp module, StringRef what, const Twine &judges,
                   const Outcome &outcome, bool isBetter) {
  module.emitRemark(llvm::formatv(
      "{0} {1}: on {2} {3} the outputs' distance from float was {4} "
      "and {5} {6}",
      what, isBetter ? "are tuned" : "stay as they are", outcome.before.size(),
      judges.str(), llvm::format("%.4g", getMean(outcome.before)),
      isBetter ? "is" : "would be",
      llvm::format("%.4g", getMean(outcome.after))));
}

LogicalResult Tuner::tuneTables() {
  FailureOr<Outcome> outcome = descend();
  if (failed(outcome))
    return failure();
  bool isBetter = isGain(*outcome);
  remark(mapped, "scales and biases", "samples held back", *outcome, isBetter);
  if (isBetter)
    writeBack();
  return success();
}

/// What `op` takes: products, or elements that it makes.
static double countWork(Operation *op) {
  double count = 0;
  for (Type type : op->getResultTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      count += double(tensor.getNumElements());
  if (auto mvm = dyn_cast<MvmOp>(op)) {
    auto matrix =
        SymbolTable::lookupNearestSymbolFrom<MatrixOp>(op, mvm.getMatrixAttr());
    int64_t rows = matrix.getRows() / matrix.getGroups();
    return count * double(rows * matrix.getCellsPerWeight());
  }
  if (auto product = dyn_cast<CrossbarOpInterface>(op)) {
    auto weights = cast<ShapedType>(product.getCrossbarWeights().getType());
    return count * double(weights.getNumElements()) /
           double(weights.getDimSize(product.getCrossbarChannelDim()));
  }
  return count;
}

double Tuner::countProducts() {
  double count = 0;
  mapped.walk([&](Operation *op) { count += countWork(op); });
  return count / double(nn::getBatch(mapped));
}

FailureOr<bool> Tuner::roundCells(int64_t steps) {
  FailureOr<ParametricNetwork> steep =
      compile(/*gradients=*/true, /*open=*/true);
  if (failed(steep))
    return failure();
  std::vector<double> gradient(parameters.size()), rates = makeRates(network);
  rates.resize(parameters.size(), cellRate);
  Adam adam(std::move(rates));
  CellRounding rounding(network);
  SampleOrder order(seen, stepSize);
  Progress progress("tuning cells: step", steps);
  for (int64_t number = 0; number < steps; ++number) {
    progress.step();
    if (number % stepsPerRounding == 0)
      rounding.round(double(number) / double(steps), parameters);
    FailureOr<bool> canFollow = step(*steep, order, number, gradient);
    if (failed(canFollow))
      return failure();
    if (!*canFollow) {
      mapped.emitRemark("cells are not tuned: gradients are not finite");
      return false;
    }
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
  return true;
}

int64_t Tuner::chooseCellSteps() {
  double perStep = countProducts() * double(stepSize);
  auto steps = static_cast<int64_t>(std::clamp<double>(
      wantedProducts / perStep, fewestCellSteps, mostCellSteps));
  auto refuse = [&](const Twine &most, const Twine &found) {
    mapped.emitRemark("cells are not tuned: expected at most ")
        << most << ", but got " << found << "; --tune moves scales only";
    return 0;
  };
  if (network.countCells() > mostCells)
    return refuse(Twine(mostCells) + " cells", Twine(network.countCells()));
  double products = perStep * double(steps);
  if (products > mostProducts)
    return refuse("2^" + Twine(int64_t(std::log2(mostProducts))) +
                      " products in " + Twine(steps) + " steps",
                  "2^" + Twine(int64_t(std::ceil(std::log2(products)))));
  return steps;
}

void Tuner::learnFromAll() {
  seen.resize(samples.total);
  std::iota(seen.begin(), seen.end(), 0);
  kindOfJudges = "once held back";
}

FailureOr<bool> Tuner::tuneCells(std::vector<double> &losses) {
  FailureOr<bool> canTune = prepare();
  if (failed(canTune) || !*canTune)
    return canTune;
  if (network.matrices.empty()) {
    mapped.emitRemark("cells are not tuned: no matrix has its cells in columns "
                      "of their own and layers that are tuned");
    return false;
  }
  int64_t steps = chooseCellSteps();
  if (steps == 0)
    return false;
  if (losses.empty()) {
    FailureOr<std::vector<double>> first = judge();
    if (failed(first))
      return failure();
    losses = std::move(*first);
  }
  FailureOr<bool> areRound = roundCells(steps);
  if (failed(areRound) || !*areRound)
    return areRound;
  FailureOr<Outcome> outcome = descend();
  if (failed(outcome))
    return failure();
  writeBack();
  outcome->before = std::move(losses);
  bool isBetter = isGain(*outcome);
  bool hasMixtures = samples.total > samples.data.count;
  remark(mapped, "cells",
         (hasMixtures ? "samples and mixtures " : "samples ") + kindOfJudges,
         *outcome, isBetter);
  losses = std::move(outcome->after);
  return isBetter;
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
  review.reset();
}

FailureOr<LayerTuning> LayerTuning::create(ModuleOp network, const Arch &arch,
                                           StringRef samples, int64_t limit,
                                           Tuning tuning) {
  FailureOr<TuningSamples> loaded =
      TuningSamples::load(network, arch, samples, limit,
                          /*forCells=*/tuning == Tuning::Cells);
  if (failed(loaded))
    return failure();
  LayerTuning result;
  result.tuning = tuning;
  result.samples = std::make_shared<const TuningSamples>(std::move(*loaded));
  return result;
}

LogicalResult LayerTuning::run(ModuleOp mapped, const Arch &arch,
                               StringRef target, bool classes) const {
  {
    Tuner tuner(mapped, arch, target, *samples, classes, /*withCells=*/false);
    FailureOr<bool> canTune = tuner.prepare();
    if (failed(canTune))
      return failure();
    if (!*canTune)
      return success();
    if (failed(tuner.tuneTables()))
      return failure();
  }
  if (tuning != Tuning::Cells)
    return success();
  OwningOpRef<ModuleOp> best;
  std::vector<double> losses;
  for (bool fromAll : {false, true}) {
    OwningOpRef<ModuleOp> copy = mapped.clone();
    Tuner other(*copy, arch, target, *samples, classes, /*withCells=*/true);
    if (fromAll)
      other.learnFromAll();
    FailureOr<bool> isBetter = other.tuneCells(losses);
    if (failed(isBetter))
      return failure();
    if (!*isBetter)
      break;
    best = std::move(copy);
  }
  if (best)
    mapped.getBodyRegion().takeBody(best->getBodyRegion());
  return success();
}

} // namespace cim
