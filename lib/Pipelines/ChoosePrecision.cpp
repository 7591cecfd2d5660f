// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cells per weight of every layer, as few as an accuracy allows:
// docs/Accuracy.md, section "Automatic precision".
#include "ChoosePrecision.h"
#include "cim/Calibration/AccuracyTest.h"
#include "cim/Dialect/CIM/IR/Splits.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <map>
#include <numeric>

using namespace mlir;
namespace json = llvm::json;

namespace cim {
namespace {

/// Cells per weight beyond these are not tried.
constexpr int64_t mostCells = 4;
/// More arrays than any chip: where blocks lie changes no number.
constexpr int64_t unlimitedArrays = 1 << 20;

/// Layers whose cells are chosen together: those of one name, since --cells
/// cannot tell them apart.
struct Group {
  std::string name; ///< "*" for all that --cells cannot express
  SmallVector<size_t> layers;
  int64_t weights = 0;
  /// By cells per weight, from 1: the share of the variance of the float
  /// results that is missed when all layers have so many cells.
  std::vector<double> losses = {};
};

/// One cell more for each weight of a group, or no cells at all.
struct Step {
  size_t group;
  bool makesDigital;
  double gain;
};

/// Cells per weight by group; 0 stands for digital.
using Choice = std::vector<int64_t>;

SmallVector<CrossbarOpInterface> findLayers(ModuleOp module) {
  SmallVector<CrossbarOpInterface> layers;
  module.walk([&](CrossbarOpInterface op) { layers.push_back(op); });
  return layers;
}

SmallVector<double> getDeviation(CrossbarOpInterface op) {
  auto attribute = op->getAttrOfType<ElementsAttr>(nn::deviationAttrName);
  return attribute ? llvm::to_vector(attribute.getValues<double>())
                   : SmallVector<double>();
}

auto formatPercent(double percent) { return llvm::format("%.3g", percent); }

LogicalResult runPasses(ModuleOp module, bool withRemarks,
                        llvm::function_ref<void(OpPassManager &)> build) {
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &note) {
    return success(!withRemarks &&
                   note.getSeverity() == DiagnosticSeverity::Remark);
  });
  PassManager pm(module.getContext());
  build(pm);
  return pm.run(module);
}

class Chooser {
public:
  Chooser(ModuleOp network, const Arch &arch, const AccuracyTest &test,
          const PrecisionGoal &goal, const PhaseOptions &options)
      : network(network), arch(arch), test(test), goal(goal), options(options) {
  }

  /// Finds the choice and its drop.
  LogicalResult run() {
    if (failed(collectGroups()))
      return failure();
    int64_t useful = countUsefulCells();
    for (most = 1; !best && most <= useful; ++most)
      if (failed(tryChoice(Choice(groups.size(), most))))
        return failure();
    --most;
    return failed(search()) ? failure() : takeBack();
  }

  /// What was found: how to compile what, and why.
  std::string cellsText() const { return makeText(best->cells); }
  OwningOpRef<ModuleOp> takeNetwork() { return std::move(best->network); }
  json::Object describe() const;
  void remark();

private:
  LogicalResult collectGroups();
  int64_t countUsefulCells() const;
  LogicalResult search();
  FailureOr<double> tryChoice(const Choice &cells);
  FailureOr<double> measure(ModuleOp compensated, const PhaseOptions &phases);
  void noteLosses(ModuleOp compensated, const Choice &cells);
  void noteTrial(const Choice &cells, double drop);
  LogicalResult takeBack();
  std::pair<int64_t, int64_t> getCost(const Choice &cells) const;
  /// Cells over the weights that have any.
  double getMeanCells(const Choice &cells) const;
  StringRef getMeasure() const;
  std::vector<Step> rankSteps() const;
  void mark(ModuleOp module, const Choice &cells) const;
  std::string makeText(const Choice &cells) const;

  ModuleOp network; // calibrated
  const Arch &arch;
  const AccuracyTest &test;
  const PrecisionGoal &goal;
  const PhaseOptions &options;
  std::vector<Group> groups;
  /// Cells that are enough in all layers, or more than which are no use.
  int64_t most = 0;
  std::map<Choice, double> known;
  /// The cheapest choice within the bound.
  struct Best {
    Choice cells;
    double drop;
    OwningOpRef<ModuleOp> network; // compensated
  };
  std::optional<Best> best;
  /// What was measured, in this order.
  json::Array trials;
};

/// Layers with float weights that run on arrays, by name.
LogicalResult Chooser::collectGroups() {
  llvm::MapVector<StringRef, Group> byName;
  std::map<StringRef, llvm::SetVector<Value>> weights;
  std::string reason;
  for (auto [number, op] : llvm::enumerate(findLayers(network))) {
    if (!nn::runsOnArrays(op, arch, reason) ||
        !getElementTypeOrSelf(op.getCrossbarWeights()).isF32())
      continue;
    StringRef name = nn::getNodeName(op);
    if (name.empty() || name.contains(',') || name.trim() != name)
      name = "*";
    Group &group = byName[name];
    group.name = name.str();
    group.layers.push_back(number);
    if (weights[name].insert(op.getCrossbarWeights()))
      group.weights +=
          cast<ShapedType>(op.getCrossbarWeights().getType()).getNumElements();
  }
  for (auto &[name, group] : byName)
    groups.push_back(std::move(group));
  if (groups.empty())
    return network.emitError("--accuracy-drop finds no layer with float "
                             "weights that runs on arrays");
  return success();
}

/// More cells hold integers that are too large.
int64_t Chooser::countUsefulCells() const {
  int64_t cells = 1;
  while (cells < mostCells && getMostLevels(options.split, cells + 1,
                                            getCellLimit(arch)) <= maxLevels)
    ++cells;
  return cells;
}

void Chooser::mark(ModuleOp module, const Choice &cells) const {
  auto reason =
      StringAttr::get(module.getContext(),
                      "on crossbars it would cost more accuracy than allowed");
  SmallVector<CrossbarOpInterface> layers = findLayers(module);
  for (auto [group, count] : llvm::zip_equal(groups, cells))
    for (size_t layer : group.layers)
      if (count == 0)
        layers[layer]->setAttr(nn::digitalAttrName, reason);
}

std::string Chooser::makeText(const Choice &cells) const {
  std::string text;
  for (auto [group, count] : llvm::zip_equal(groups, cells))
    if (count > 0)
      text += group.name + "=" + std::to_string(count) + ",";
  // Nothing is left that this could be of.
  return text.empty() ? "1" : StringRef(text).drop_back().str();
}

/// Digital layers and cells, in the order in which they are to be avoided.
std::pair<int64_t, int64_t> Chooser::getCost(const Choice &cells) const {
  int64_t total = 0;
  for (auto [group, count] : llvm::zip_equal(groups, cells))
    total += group.weights * count;
  return {llvm::count(cells, 0), total};
}

double Chooser::getMeanCells(const Choice &cells) const {
  int64_t weights = 0;
  for (auto [group, count] : llvm::zip_equal(groups, cells))
    weights += count > 0 ? group.weights : 0;
  return double(getCost(cells).second) / double(std::max<int64_t>(weights, 1));
}

/// Compiles a copy with these cells and measures what it loses.
FailureOr<double> Chooser::tryChoice(const Choice &cells) {
  if (auto seen = known.find(cells); seen != known.end())
    return seen->second;
  OwningOpRef<ModuleOp> trial = network.clone();
  mark(*trial, cells);
  PhaseOptions phases;
  phases.copyOptionValuesFrom(options);
  phases.cells = makeText(cells);
  phases.arrays = unlimitedArrays;
  // What one compensation remarks, all do.
  bool isFirst = known.empty();
  if (failed(runPasses(*trial, isFirst, [&](OpPassManager &pm) {
        buildCompensation(pm, phases);
      })))
    return failure();
  noteLosses(*trial, cells);
  FailureOr<double> drop = measure(*trial, phases);
  if (failed(drop))
    return failure();
  noteTrial(cells, *drop);
  if (*drop <= goal.drop && (!best || getCost(cells) < getCost(best->cells)))
    best = {cells, *drop, std::move(trial)};
  return known[cells] = *drop;
}

/// Maps a copy as the compilation will, which remarks what there is to remark.
FailureOr<double> Chooser::measure(ModuleOp compensated,
                                   const PhaseOptions &phases) {
  OwningOpRef<ModuleOp> program = compensated.clone();
  if (failed(runPasses(*program, /*withRemarks=*/false, [&](OpPassManager &pm) {
        buildQuantization(pm, phases);
        buildMapPhase(pm, phases);
        buildProgramPhase(pm, phases);
      })))
    return failure();
  return test.measureDrop(*program, arch);
}

void Chooser::noteTrial(const Choice &cells, double drop) {
  auto [digital, total] = getCost(cells);
  if (llvm::errs().is_displayed())
    llvm::errs() << llvm::formatv(
        "trial {0}: {1:f2} cells per weight, {2} of {3} layers digital: drop "
        "{4} %\n",
        trials.size() + 1, getMeanCells(cells), digital, groups.size(),
        formatPercent(drop));
  trials.push_back(json::Object{
      {"cells", total},
      {"digital_layers", digital},
      {"drop", std::isfinite(drop) ? json::Value(drop) : nullptr}});
}

/// `nn-compensate-weights` multiplies deviations with correlations.
void Chooser::noteLosses(ModuleOp compensated, const Choice &cells) {
  SmallVector<CrossbarOpInterface> before = findLayers(network);
  SmallVector<CrossbarOpInterface> after = findLayers(compensated);
  for (auto [group, count] : llvm::zip_equal(groups, cells)) {
    // Trials of equal cells everywhere come first, in this order.
    if (count != int64_t(group.losses.size()) + 1)
      continue;
    double all = 0, kept = 0;
    bool isKnown = false;
    for (size_t layer : group.layers)
      for (auto [wanted, got] : llvm::zip_equal(getDeviation(before[layer]),
                                                getDeviation(after[layer]))) {
        all += wanted * wanted;
        kept += got * std::max(got, 0.0);
        isKnown |= wanted != got;
      }
    // Left alone: what rounding evenly distributed weights costs.
    auto levels =
        double(getMostLevels(options.split, count, getCellLimit(arch)));
    group.losses.push_back(isKnown ? 1 - kept / all
                                   : 1 / (4 * levels * levels));
  }
}

/// Cells that gain most come first; a layer without cells comes last, that
/// which even all cells serve worst at the head.
std::vector<Step> Chooser::rankSteps() const {
  std::vector<Step> steps;
  for (auto [number, group] : llvm::enumerate(groups)) {
    double least = std::numeric_limits<double>::infinity();
    for (int64_t cells = 1; cells < most; ++cells) {
      double gain = group.losses[cells - 1] - group.losses[cells];
      // Never more than the cell before, which must come first.
      least = std::min(least, gain / double(group.weights));
      steps.push_back({number, false, least});
    }
    steps.push_back({number, true, group.losses.back()});
  }
  llvm::sort(steps, [](const Step &a, const Step &b) {
    return std::tuple(a.makesDigital, -a.gain, a.group) <
           std::tuple(b.makesDigital, -b.gain, b.group);
  });
  return steps;
}

/// Bisects how many steps are needed: as if each helped.
LogicalResult Chooser::search() {
  std::vector<Step> steps = rankSteps();
  auto take = [&](size_t count) {
    Choice cells(groups.size(), 1);
    for (const Step &step : ArrayRef(steps).take_front(count)) {
      int64_t &now = cells[step.group];
      now = step.makesDigital ? 0 : now + 1;
    }
    return cells;
  };
  // Layers become digital only when nothing else helps.
  size_t onArrays = steps.size() - groups.size();
  size_t tooFew = best ? 0 : onArrays, enough = best ? onArrays : steps.size();
  while (tooFew + 1 < enough) {
    size_t next = (tooFew + enough) / 2;
    FailureOr<double> measured = tryChoice(take(next));
    if (failed(measured))
      return failure();
    (*measured <= goal.drop ? enough : tooFew) = next;
  }
  if (best)
    return success();
  FailureOr<double> rest = tryChoice(take(steps.size()));
  if (failed(rest) || best)
    return rest;
  return network.emitError(llvm::formatv(
      "--accuracy-drop={0}: layers that arrive quantised cost {1} percent, "
      "even with all others digital",
      formatPercent(goal.drop), formatPercent(*rest)));
}

/// Tries what the search could not know: digital layers with cells again, and
/// a cell less in a layer; the largest of them.
LogicalResult Chooser::takeBack() {
  constexpr size_t mostTries = 8;
  std::vector<size_t> order(groups.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::pair(-groups[a].weights, a) < std::pair(-groups[b].weights, b);
  });
  auto tryLargest = [&](auto isCandidate, auto change) -> LogicalResult {
    size_t tries = 0;
    for (size_t group : order) {
      Choice cells = best->cells;
      if (!isCandidate(cells[group]) || ++tries > mostTries)
        continue;
      cells[group] = change(cells[group]);
      if (failed(tryChoice(cells)))
        return failure();
    }
    return success();
  };
  if (failed(tryLargest([](int64_t cells) { return cells == 0; },
                        [&](int64_t) { return most; })))
    return failure();
  return tryLargest([](int64_t cells) { return cells > 1; },
                    [](int64_t cells) { return cells - 1; });
}

/// As the report calls it.
StringRef Chooser::getMeasure() const {
  switch (test.measure()) {
  case AccuracyTest::Measure::Labels:
    return "labels";
  case AccuracyTest::Measure::Agreement:
    return "agreement";
  case AccuracyTest::Measure::Error:
    return "error";
  }
  llvm_unreachable("covered switch");
}

/// Says in a line what was chosen.
void Chooser::remark() {
  InFlightDiagnostic remark = network.emitRemark();
  remark << llvm::formatv(
                "{0:f2} cells per weight, {1} of {2} layers digital: of {3} % "
                "allowed they lose {4} % ({5}, {6} samples held back",
                getMeanCells(best->cells), getCost(best->cells).first,
                groups.size(), formatPercent(goal.drop),
                formatPercent(best->drop), getMeasure(), test.heldCount())
                .str();
  if (test.measure() != AccuracyTest::Measure::Error)
    remark << llvm::formatv(", each {0} %",
                            formatPercent(100.0 / double(test.heldCount())));
  remark << ")";
}

json::Object Chooser::describe() const {
  json::Array layers;
  for (auto [group, cells] : llvm::zip_equal(groups, best->cells))
    layers.push_back(json::Object{{"node", json::fixUTF8(group.name)},
                                  {"weights", group.weights},
                                  {"cells_per_weight", cells},
                                  {"loss", json::Array(group.losses)}});
  return json::Object{{"bound", goal.drop},
                      {"drop", best->drop},
                      {"measure", getMeasure()},
                      {"mean_cells_per_weight", getMeanCells(best->cells)},
                      {"calibration_samples", test.calibrationCount()},
                      {"held_samples", test.heldCount()},
                      {"layers", std::move(layers)},
                      {"trials", json::Array(trials)}};
}

} // namespace

FailureOr<json::Object> choosePrecision(OwningOpRef<ModuleOp> &network,
                                        const Arch &arch,
                                        const PrecisionGoal &goal,
                                        PhaseOptions &options) {
  FailureOr<AccuracyTest> test = AccuracyTest::create(
      *network, arch, options.calibration, goal.labels, goal.byEnergy);
  if (failed(test))
    return failure();
  options.samples = test->calibrationCount();
  if (failed(runPasses(*network, /*withRemarks=*/true, [&](OpPassManager &pm) {
        buildCalibration(pm, options);
      })))
    return failure();
  Chooser chooser(*network, arch, *test, goal, options);
  if (failed(chooser.run()))
    return failure();
  options.cells = chooser.cellsText();
  chooser.remark();
  json::Object description = chooser.describe();
  network = chooser.takeNetwork();
  return description;
}

} // namespace cim
