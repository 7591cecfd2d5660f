// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-calibrate: run the network on sample data and note what it sees.
#include "ModelRunner.h"
#include "Observation.h"
#include "cim/Calibration/Passes.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"
#include "cim/Dialect/NN/IR/NN.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"
#include "cim/Dialect/NN/Transforms/SetBatch.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include <cmath>

namespace cim {
#define GEN_PASS_DEF_CALIBRATEPASS
#include "cim/Calibration/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

namespace {

/// Samples per call of the float network: enough to keep libraries busy, and
/// so that as few as possible of `count` are left over.
int64_t chooseFloatBatch(int64_t count) {
  constexpr int64_t least = 16, most = 32;
  if (count <= most)
    return count;
  int64_t best = most;
  for (int64_t batch = most; batch >= least; --batch)
    if (count % batch < count % best)
      best = batch;
  return best;
}

/// What to look at: activations whose range is needed, and layers.
struct Plan {
  llvm::SetVector<Value> activations;
  SmallVector<CrossbarOpInterface> layers;
};

/// What to observe, values and matrices with their numbers.
struct Watch {
  llvm::MapVector<Value, size_t> values;
  std::vector<Wanted> wanted;
  llvm::DenseMap<nn::MatrixKey, size_t> matrices;
  std::vector<WantedCovariance> covariances;

  Wanted &want(Value value) {
    auto [entry, isNew] = values.try_emplace(value, wanted.size());
    return isNew ? wanted.emplace_back() : wanted[entry->second];
  }

  void wantCovariance(CrossbarOpInterface op, const WindowGeometry &geometry) {
    auto [entry, isNew] =
        matrices.try_emplace(nn::getMatrixKey(op), covariances.size());
    if (isNew)
      covariances.push_back({geometry.groups, geometry.rowsPerGroup()});
    ++covariances[entry->second].uses;
    want(op.getCrossbarInput())
        .windows.push_back({geometry, isa<nn::ConvOp>(op), entry->second});
  }
};

void note(void *user, uint32_t value, const float *data, uint64_t count) {
  static_cast<Record *>(user)->add(value, {data, count});
}

bool isFloat(Value value) {
  return cast<ShapedType>(value.getType()).getElementType().isF32();
}

/// Mirrors what nn-quantize does.
Plan makePlan(ModuleOp module, const Arch &arch) {
  Plan plan;
  std::string reason;
  module.walk([&](CrossbarOpInterface op) {
    if (!nn::runsOnArrays(op, arch, reason))
      return;
    Value root = nn::getActivationRoot(op.getCrossbarInput());
    if (isFloat(root) && !root.getDefiningOp<nn::DequantizeOp>())
      plan.activations.insert(root);
    if (isFloat(op.getCrossbarWeights()))
      plan.layers.push_back(op);
  });
  return plan;
}

/// Channels of the result of a crossbar op, and elements between neighbours.
std::pair<int64_t, int64_t> getChannels(CrossbarOpInterface op) {
  auto type = cast<ShapedType>(op->getResultTypes()[0]);
  int64_t dim = isa<nn::ConvOp>(op) ? 1 : type.getRank() - 1;
  int64_t inner = 1;
  for (int64_t extent : type.getShape().drop_front(dim + 1))
    inner *= extent;
  return {type.getDimSize(dim), inner};
}

struct CalibratePass : cim::impl::CalibratePassBase<CalibratePass> {
  using CalibratePassBase::CalibratePassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<nn::NNDialect>();
    insertModelRunnerDialects(registry);
  }

  void runOnOperation() override {
    if (data.empty())
      return;
    ModuleOp module = getOperation();
    FailureOr<Arch> arch = loadChip(module, target);
    if (failed(arch))
      return signalPassFailure();
    FailureOr<SampleData> loaded = loadSamples(module, data, samples);
    if (failed(loaded))
      return signalPassFailure();
    Plan plan = makePlan(module, *arch);
    if (plan.activations.empty() && plan.layers.empty())
      return;
    Watch watch;
    FailureOr<Record> record = observe(module, *arch, plan, *loaded, watch);
    if (failed(record))
      return signalPassFailure();
    if (failed(attach(plan, *arch, watch, *record)))
      signalPassFailure();
  }

private:
  /// Inserts nn.observe into a copy of the network and runs it.
  FailureOr<Record> observe(ModuleOp module, const Arch &arch, const Plan &plan,
                            const SampleData &data, Watch &watch) {
    IRMapping mapping;
    OwningOpRef<ModuleOp> clone = cast<ModuleOp>(module->clone(mapping));
    int64_t oldBatch = nn::getBatch(module);
    int64_t batch = rebatch(*clone, chooseFloatBatch(data.count));
    if (batch == 0) {
      // Ops that the failed attempt changed are of no use.
      mapping.clear();
      clone = cast<ModuleOp>(module->clone(mapping));
      batch = oldBatch;
    }
    // A last call that is not full would need padding.
    int64_t count = std::max<int64_t>(data.count / batch, 1) * batch;
    count = std::min(count, data.count);
    fillWatch(plan, count, oldBatch, watch);
    OpBuilder builder(clone->getContext());
    for (auto [value, number] : watch.values) {
      Value copy = mapping.lookup(value);
      builder.setInsertionPointAfterValue(copy);
      nn::ObserveOp::create(builder, copy.getLoc(), copy,
                            static_cast<int64_t>(number));
    }
    return run(*clone, arch, data, count, watch);
  }

  void fillWatch(const Plan &plan, int64_t count, int64_t batch, Watch &watch) {
    for (Value value : plan.activations)
      watch.want(value).range =
          cast<ShapedType>(value.getType()).getNumElements() / batch * count;
    for (CrossbarOpInterface op : plan.layers) {
      watch.want(op->getResult(0)).channels = getChannels(op);
      std::string reason;
      FailureOr<WindowGeometry> geometry = op.getWindowGeometry(reason);
      if (covariance && succeeded(geometry) && isFloat(op.getCrossbarInput()) &&
          WindowCovariance::isFeasible(*geometry))
        watch.wantCovariance(op, *geometry);
    }
  }

  /// Runs parts of the samples at the same time. How many there are must not
  /// depend on the machine: sums are rounded.
  FailureOr<Record> run(ModuleOp network, const Arch &arch,
                        const SampleData &data, int64_t count,
                        const Watch &watch) {
    constexpr int64_t most = 4, maxElements = int64_t(1) << 27;
    int64_t elements = 1;
    for (const WantedCovariance &matrix : watch.covariances)
      elements += matrix.groups * matrix.rows * matrix.rows;
    int64_t parts = std::clamp<int64_t>(maxElements / elements, 1, most);
    std::vector<Record> records;
    for (int64_t part = 0; part < parts; ++part)
      records.emplace_back(watch.wanted, watch.covariances, count, part + 1);
    std::vector<cim_session_options> sessions;
    for (Record &record : records) {
      cim_session_options &options = sessions.emplace_back();
      options = {};
      options.size = sizeof options;
      options.threads = 1;
      options.observe = note;
      options.observe_user = &record;
    }
    FailureOr<ModelRunner> runner = ModelRunner::compile(network, arch);
    if (failed(runner) || failed(runner->run(data, count, sessions)))
      return failure();
    for (Record &later : llvm::drop_begin(records))
      records.front().merge(later);
    return std::move(records.front());
  }

  /// Samples per call that `clone` is set to, 0 when it cannot be changed.
  static int64_t rebatch(ModuleOp clone, int64_t batch) {
    ScopedDiagnosticHandler quiet(clone.getContext(),
                                  [](Diagnostic &) { return success(); });
    return succeeded(nn::setBatch(clone, batch)) ? batch : 0;
  }

  LogicalResult attach(const Plan &plan, const Arch &arch, const Watch &watch,
                       Record &record) {
    auto at = [&](Value value) -> const Observation & {
      return record.value(watch.values.lookup(value));
    };
    int64_t signedLevels = arch.acceptsSignedInput()
                               ? arch.signedInputRange().hi
                               : arch.unsignedInputRange().hi;
    int64_t unsignedLevels = arch.acceptsUnsignedInput()
                                 ? arch.unsignedInputRange().hi
                                 : signedLevels;
    for (Value value : plan.activations) {
      const ValueStatistics &values = at(value).values();
      if (!values.isFinite())
        return notFinite(value);
      auto [lo, hi] = values.chooseRange(range, signedLevels, unsignedLevels);
      nn::setRange(value, lo, hi);
    }
    shareRanges(plan);
    for (CrossbarOpInterface op : plan.layers) {
      const ChannelStatistics &channels = at(op->getResult(0)).statistics();
      if (!llvm::all_of(channels.deviation(),
                        [](double d) { return std::isfinite(d); }))
        return notFinite(op->getResult(0));
      auto toAttr = [&](ArrayRef<double> values) {
        auto type = RankedTensorType::get({static_cast<int64_t>(values.size())},
                                          Float64Type::get(&getContext()));
        return DenseElementsAttr::get(type, values);
      };
      op->setAttr(nn::meanAttrName, toAttr(channels.mean()));
      op->setAttr(nn::deviationAttrName, toAttr(channels.deviation()));
    }
    attachCovariances(plan, watch, record);
    return success();
  }

  /// Whether a value of range `own` loses at most one bit in range `whole`.
  static bool isCloseRange(std::pair<float, float> own,
                           std::pair<float, float> whole) {
    auto magnitude = [](std::pair<float, float> range) {
      return std::max(std::abs(range.first), std::abs(range.second));
    };
    return (own.first < 0) == (whole.first < 0) &&
           2 * magnitude(own) >= magnitude(whole);
  }

  /// Integers of one scale can be joined as they are, so what a layer reads
  /// joined is stored with the scale of the whole.
  static void shareRanges(const Plan &plan) {
    SmallVector<nn::ConcatOp> joins;
    for (Value value : plan.activations)
      if (auto concat = value.getDefiningOp<nn::ConcatOp>())
        joins.push_back(concat);
    // The outer ones of nested joins first.
    llvm::sort(joins, [](nn::ConcatOp a, nn::ConcatOp b) {
      return b->isBeforeInBlock(a);
    });
    llvm::DenseSet<Value> shared;
    for (nn::ConcatOp concat : joins) {
      auto [lo, hi] = *nn::getRange(concat);
      SmallVector<Value> parts{concat};
      while (!parts.empty()) {
        Value root = nn::getActivationRoot(parts.pop_back_val());
        if (!shared.insert(root).second)
          continue;
        if (plan.activations.contains(root) &&
            isCloseRange(*nn::getRange(root), {lo, hi}))
          nn::setRange(root, lo, hi);
        if (auto inner = root.getDefiningOp<nn::ConcatOp>())
          llvm::append_range(parts, inner.getInputs());
      }
    }
  }

  void attachCovariances(const Plan &plan, const Watch &watch, Record &record) {
    SmallVector<Attribute> covariances;
    for (size_t matrix = 0; matrix < watch.covariances.size(); ++matrix) {
      WindowCovariance &covariance = record.covariance(matrix);
      auto type = RankedTensorType::get(
          {covariance.groups(), covariance.rows(), covariance.rows()},
          Float32Type::get(&getContext()));
      covariances.push_back(
          makeElements<float>(type, covariance.compute(), "covariance"));
    }
    for (CrossbarOpInterface op : plan.layers) {
      auto matrix = watch.matrices.find(nn::getMatrixKey(op));
      if (matrix != watch.matrices.end())
        op->setAttr(nn::covarianceAttrName, covariances[matrix->second]);
    }
  }

  static LogicalResult notFinite(Value value) {
    return emitError(value.getLoc(),
                     "on the calibration data this is not "
                     "finite: the network cannot be calibrated");
  }
};

} // namespace
