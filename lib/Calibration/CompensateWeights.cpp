// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-compensate-weights: integers whose errors compensate each other.
#include "FloatTargets.h"
#include "MappedRun.h"
#include "Progress.h"
#include "cim/Calibration/MatrixPipeline.h"
#include "cim/Calibration/Passes.h"
#include "cim/Dialect/CIM/Transforms/CellsPerLayer.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/SplitWeights.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"
#include "cim/Dialect/NN/Transforms/WeightSearch.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/MapVector.h"

namespace cim {
#define GEN_PASS_DEF_COMPENSATEWEIGHTSPASS
#include "cim/Calibration/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

namespace {

/// Ops that will share a matrix, in program order, by their numbers.
struct Uses {
  SmallVector<size_t, 1> layers;
  int64_t cells;
};

struct CompensateWeightsPass
    : cim::impl::CompensateWeightsPassBase<CompensateWeightsPass> {
  using CompensateWeightsPassBase::CompensateWeightsPassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    insertMappedRunDialects(registry, target);
    OpPassManager pipeline(ModuleOp::getOperationName());
    buildQuantization(pipeline, getOptions());
    buildMatrices(pipeline, getOptions());
    pipeline.getDependentDialects(registry);
  }

  void runOnOperation() override {
    // Residual planes have scales of their own, which nothing here chooses.
    if (data.empty() || split == Split::Residual)
      return;
    ModuleOp module = getOperation();
    FailureOr<Arch> loaded = loadChip(module, target);
    FailureOr<CellsPerLayer> perLayer =
        succeeded(loaded) ? CellsPerLayer::parse(module.getLoc(), cells)
                          : FailureOr<CellsPerLayer>();
    if (failed(perLayer))
      return signalPassFailure();
    arch = &*loaded;
    collect(module, *perLayer);
    if (layers.empty())
      return;
    FailureOr<SampleData> samples = loadSamples(module, data, this->samples);
    if (failed(samples))
      return signalPassFailure();
    auto recorded = recordTargets(module, layers, *arch, *samples);
    if (failed(recorded))
      return signalPassFailure();
    targets = std::move(*recorded);
    if (targets.empty()) {
      module.emitRemark("layers see samples interleaved: the integers nearest "
                        "to the weights stay; import with one sample per call");
      return;
    }
    FailureOr<NetworkCalibration> chosen = choose(module, *samples);
    if (failed(chosen))
      return signalPassFailure();
    writeBack(*chosen);
  }

private:
  MatrixOptions getOptions() const { return {target, cells, split}; }

  /// The layers whose integers are not known yet, and their matrices.
  void collect(ModuleOp module, const CellsPerLayer &perLayer) {
    layers.clear();
    matrices.clear();
    std::string reason;
    llvm::MapVector<std::pair<nn::MatrixKey, int64_t>, Uses> byKey;
    module.walk([&](CrossbarOpInterface op) {
      if (!nn::runsOnArrays(op, *arch, reason) ||
          !getElementTypeOrSelf(op.getCrossbarWeights()).isF32() ||
          !op->hasAttr(nn::meanAttrName) ||
          !hasFeasibleMoments(*op.getWindowGeometry(reason)))
        return;
      int64_t count = perLayer.lookup(nn::getNodeName(op));
      Uses &uses = byKey[{nn::getMatrixKey(op), count}];
      uses.cells = count;
      uses.layers.push_back(layers.size());
      layers.push_back(op);
    });
    for (auto &[key, uses] : byKey)
      matrices.push_back(std::move(uses));
  }

  /// Maps a copy of the network, in which the integers are those next to the
  /// weights, and lets the calibrating device choose better ones.
  FailureOr<NetworkCalibration> choose(ModuleOp module,
                                       const SampleData &samples) {
    IRMapping mapping;
    OwningOpRef<ModuleOp> clone = cast<ModuleOp>(module->clone(mapping));
    tagMatrices(mapping);
    // Whatever these passes remark, they will again.
    ScopedDiagnosticHandler quiet(&getContext(), [](Diagnostic &diagnostic) {
      return success(diagnostic.getSeverity() == DiagnosticSeverity::Remark);
    });
    PassManager pm(&getContext());
    buildQuantization(pm, getOptions());
    buildMatrices(pm, getOptions());
    if (failed(pm.run(*clone)))
      return failure();
    SmallVector<MvmOp> mvms;
    FailureOr<NetworkCalibration> calibration =
        collectLayers(*clone, classes, mvms);
    if (failed(calibration) || failed(open(*clone, mvms, *calibration)))
      return failure();
    FailureOr<GainChoice> gains =
        makeGainChoice(module, adcRange, adcPercentile, *arch);
    if (failed(gains))
      return failure();
    calibration->gains = *gains;
    FailureOr<MappedRun> run =
        MappedRun::compile(*clone, target, *arch, samples, /*inOrder=*/true);
    if (failed(run))
      return failure();
    Progress progress("choosing weights: matrix", calibration->matrices.size());
    calibration->progress = [&] { progress.step(); };
    if (failed(run->run(*calibration)))
      return failure();
    calibration->progress = nullptr;
    return calibration;
  }

  /// Lets every matrix of the copy say which one it is: names need not be
  /// unique.
  void tagMatrices(const IRMapping &mapping) {
    for (auto [number, uses] : llvm::enumerate(matrices)) {
      Operation *first = layers[uses.layers.front()];
      Operation *copy = mapping.lookup(first->getResult(0)).getDefiningOp();
      auto tag = IntegerAttr::get(IndexType::get(&getContext()), number);
      copy->setLoc(FusedLoc::get(&getContext(), {copy->getLoc()}, tag));
    }
  }

  static std::optional<size_t> getTag(MatrixOp matrix) {
    auto fused = dyn_cast<FusedLoc>(matrix.getLoc());
    auto tag = fused ? dyn_cast_or_null<IntegerAttr>(fused.getMetadata())
                     : IntegerAttr();
    return tag ? std::optional<size_t>(tag.getInt()) : std::nullopt;
  }

  /// Opens the matrices of the copy, and gives their layers targets.
  LogicalResult open(ModuleOp clone, MutableArrayRef<MvmOp> mvms,
                     NetworkCalibration &calibration) {
    isOpen.assign(matrices.size(), std::nullopt);
    std::vector<size_t> used(calibration.matrices.size());
    for (auto [op, layer] : llvm::zip_equal(mvms, calibration.layers)) {
      auto matrix = clone.lookupSymbol<MatrixOp>(op.getMatrix());
      std::optional<size_t> tag = getTag(matrix);
      MatrixCalibration &cells = calibration.matrices[layer.matrix];
      if (!tag || cells.uses != int64_t(matrices[*tag].layers.size()))
        continue;
      size_t number = matrices[*tag].layers[used[layer.matrix]++];
      layer.targets = targets[number];
      layer.inputScale = getScale(op.getInput());
      layer.outputScale = getScale(op);
      if (!cells.open && failed(open(matrix, layers[number], cells)))
        return failure();
      isOpen[*tag] = layer.matrix;
      layerOf[number] = &layer - calibration.layers.data();
    }
    return success();
  }

  /// What integers of `value` stand for.
  static double getScale(Value value) {
    auto type =
        dyn_cast<quant::UniformQuantizedType>(getElementTypeOrSelf(value));
    return type ? type.getScale() : 1;
  }

  LogicalResult open(MatrixOp matrix, CrossbarOpInterface op,
                     MatrixCalibration &cells) {
    std::string reason;
    WindowGeometry geometry = *op.getWindowGeometry(reason);
    FailureOr<std::vector<float>> weights =
        nn::readReals(op.getCrossbarWeights());
    if (failed(weights))
      return failure();
    int64_t rows = matrix.getRows(), columns = matrix.getColumns();
    std::vector<int64_t> places = nn::getMatrixPlaces(op, geometry);
    OpenMatrix &open = cells.open.emplace();
    open.groups = geometry.groups;
    open.cellLimit = getCellLimit(*arch);
    open.losses = makeReadLosses();
    open.weights.setZero(rows, columns);
    for (auto [weight, place] : llvm::zip_equal(*weights, places))
      open.weights(place / columns, place % columns) = weight;
    int64_t count = matrix.getCellsPerWeight();
    for (Split choice : getSplitChoices(split, count, open.cellLimit))
      open.choices.push_back(
          makeChoice(choice, count, open, op, *weights, places));
    open.found = open.choices.front().nearest;
    return success();
  }

  SplitChoice makeChoice(Split split, int64_t count, const OpenMatrix &open,
                         CrossbarOpInterface op, ArrayRef<float> weights,
                         ArrayRef<int64_t> places) const {
    SplitChoice choice;
    choice.split = split;
    choice.levels = getCapacity(split, count, open.cellLimit);
    choice.cells = makeCellModel(choice, open.cellLimit);
    auto type = cast<ShapedType>(op.getCrossbarWeights().getType());
    nn::ChannelIntegers nearest = nn::searchWeights(
        weights, type.getShape(), op.getCrossbarChannelDim(), choice.levels);
    int64_t columns = open.weights.cols();
    choice.nearest.codes.setZero(open.weights.rows(), columns);
    for (auto [code, place] : llvm::zip_equal(nearest.values, places))
      choice.nearest.codes(place / columns, place % columns) = code;
    choice.nearest.scales = Eigen::RowVectorXd::Map(
        nearest.scales.data(), Eigen::Index(nearest.scales.size()));
    return choice;
  }

  /// What the integers of a column mean for its cells.
  CellModel makeCellModel(const SplitChoice &choice, int64_t cellLimit) const {
    CellModel model;
    model.levels = double(choice.levels);
    int64_t count = 2 * choice.levels + 1;
    // Equal planes take turns.
    int64_t turns = choice.split == Split::Equal
                        ? countCells(choice.split, choice.levels, cellLimit)
                        : 1;
    std::vector<int8_t> codes; // turns x count
    for (int64_t turn = 0; turn < turns; ++turn)
      for (int64_t code = -choice.levels; code <= choice.levels; ++code)
        codes.push_back(static_cast<int8_t>(code));
    Planes all = splitExactly(choice.split, codes, turns, count, choice.levels,
                              cellLimit);
    int64_t sums = all.significance.size() / count, repeat = all.cells / sums;
    model.significance.resize(sums);
    model.digits.assign(turns, Eigen::MatrixXd::Zero(sums, count));
    model.energy.setZero(count);
    for (int64_t cell = 0; cell < all.cells; ++cell) {
      double significance = all.significance[cell / repeat * count];
      model.significance[cell / repeat] = significance;
      for (int64_t i = 0; i < turns * count; ++i) {
        double digit = all.digits[cell * turns * count + i];
        model.digits[i / count](cell / repeat, i % count) += digit;
        if (i < count)
          model.energy[i] += digit * significance * (digit * significance);
      }
    }
    return model;
  }

  ReadLosses makeReadLosses() const {
    ReadLosses losses;
    // The least error of a normal distribution that is rounded to 2^B values
    // (Hui and Neuhoff, 2001).
    double codes = std::exp2(double(arch->adcBits()));
    losses.converter = 4.0 / 3 * std::log(codes) / (codes * codes);
    // A step's rounding has the variance 1/12.
    if (adcRange == GainMethod::Noise)
      losses.converter *= 1 + 12 * GainChoice(adcRange, 100, *arch).conversion;
    double read = arch->noise().read.value;
    double variation = arch->noise().staticVariation.value;
    losses.cell = read * read + variation * variation;
    return losses;
  }

  void writeBack(const NetworkCalibration &calibration) {
    for (auto [number, uses] : llvm::enumerate(matrices)) {
      if (!isOpen[number])
        continue;
      const OpenMatrix &open = *calibration.matrices[*isOpen[number]].open;
      setWeights(uses, open.found, open.choices[open.chosen].levels);
      for (size_t layer : uses.layers)
        setDeviation(layers[layer],
                     calibration.layers[layerOf[layer]].correlation.compute());
    }
  }

  void setWeights(const Uses &uses, const LayerCodes &found, int64_t levels) {
    CrossbarOpInterface op = layers[uses.layers.front()];
    std::string reason;
    WindowGeometry geometry = *op.getWindowGeometry(reason);
    Value weights = op.getCrossbarWeights();
    nn::ChannelIntegers integers;
    integers.levels = levels;
    for (double scale : found.scales)
      integers.scales.push_back(scale);
    int64_t columns = geometry.outC;
    for (int64_t place : nn::getMatrixPlaces(op, geometry))
      integers.values.push_back(found.codes(place / columns, place % columns));
    OpBuilder builder(op);
    Value constant =
        nn::createWeights(builder, weights.getLoc(), nn::shapeOf(weights),
                          op.getCrossbarChannelDim(), integers);
    for (size_t layer : uses.layers)
      for (OpOperand &operand : layers[layer]->getOpOperands())
        if (operand.get() == weights &&
            weights != layers[layer].getCrossbarInput())
          operand.set(constant);
  }

  /// The part of the deviation that a layer can follow.
  void setDeviation(CrossbarOpInterface op, ArrayRef<double> correlation) {
    auto attribute = op->getAttrOfType<ElementsAttr>(nn::deviationAttrName);
    if (!attribute || correlation.empty())
      return;
    auto values = llvm::to_vector(attribute.getValues<double>());
    size_t constant = llvm::count(values, 0.0);
    if (constant > 0)
      op->emitRemark() << constant << " of " << values.size()
                       << " channels never vary on the calibration data";
    for (auto [value, factor] : llvm::zip_equal(values, correlation))
      value *= factor;
    op->setAttr(nn::deviationAttrName,
                DenseElementsAttr::get(cast<ShapedType>(attribute.getType()),
                                       ArrayRef<double>(values)));
  }

  const Arch *arch = nullptr;
  SmallVector<CrossbarOpInterface> layers;
  std::vector<Uses> matrices;
  std::vector<std::shared_ptr<const LayerTargets>> targets; // of `layers`
  /// By matrix, its number in the copy, when it is to be chosen there.
  std::vector<std::optional<size_t>> isOpen;
  std::map<size_t, size_t> layerOf; // number of a layer in the copy
};

} // namespace
