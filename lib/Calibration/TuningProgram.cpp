// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A mapped network as a function of its scales, biases and cells.
#include "TuningProgram.h"
#include "Logits.h"
#include "MappedRun.h"
#include "cim/Dialect/NN/Transforms/Gradients.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/Sequence.h"
#include <limits>

using namespace mlir;

namespace cim {

static func::FuncOp getMain(ModuleOp module) {
  return module.lookupSymbol<func::FuncOp>("main");
}

FailureOr<TunedNetwork> collectTuned(ModuleOp module, const Arch &arch,
                                     bool withCells) {
  TunedNetwork network;
  WalkResult walk = module.walk([&](MvmOp op) {
    TunedLayer &layer = network.layers.emplace_back();
    layer.op = op;
    if (failed(readTable(op, op.getScale(), layer.scale)) ||
        failed(readTable(op, op.getBias(), layer.bias)) ||
        failed(readTable(op, op.getDeviation(), layer.deviation)))
      return WalkResult::interrupt();
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  if (!withCells)
    return network;
  FailureOr<std::vector<TunedMatrix>> matrices =
      collectTunedMatrices(network.layers, arch);
  if (failed(matrices))
    return failure();
  network.matrices = std::move(*matrices);
  return network;
}

SmallVector<int64_t> TunedNetwork::listParameters(bool withCells) const {
  SmallVector<int64_t> counts{countTables()};
  if (withCells)
    for (const TunedMatrix &matrix : matrices)
      counts.append(matrix.planes, matrix.cellsPerPlane());
  return counts;
}

TunedOutput describeOutput(ModuleOp module, unsigned number, bool classes) {
  TunedOutput output;
  output.number = number;
  Operation *terminator = getMain(module).front().getTerminator();
  if (auto softmax =
          terminator->getOperand(number).getDefiningOp<nn::SoftmaxOp>()) {
    output.classes = softmax.getAxis();
    output.isSoftmax = true;
  } else if (classes) {
    module.walk([&](MvmOp op) {
      followChannels(op, op.getType().getRank() - 1,
                     [&](OpOperand &use, int64_t dim) {
                       if (use.getOwner() == terminator &&
                           use.getOperandNumber() == number)
                         output.classes = dim;
                     });
    });
  }
  return output;
}

/// The epilogue of `layer` in float, with parameters of every sample: what the
/// mvm hands on, or, before rounding, is worth.
static Value buildEpilogue(nn::TensorBuilder &b, const TunedLayer &layer,
                           Value sums, Value factors, Value shifts) {
  MvmOp op = layer.op;
  auto quantized =
      dyn_cast<quant::UniformQuantizedType>(op.getType().getElementType());
  double unit = quantized ? quantized.getScale() : 1;
  auto scaled = [&](ArrayRef<double> values) {
    std::vector<float> result;
    for (double value : values)
      result.push_back(static_cast<float>(value * unit));
    return b.constant(int64_t(result.size()), result);
  };
  auto type = cast<RankedTensorType>(sums.getType());
  SmallVector<int64_t> perSample{type.getDimSize(0), 1, 1, type.getDimSize(3)};
  Value scale = scaled(layer.scale), bias = scaled(layer.bias);
  if (layer.isTuned()) {
    scale = b.make<nn::MulOp>(b.make<nn::ExpOp>(factors), scale);
    scale = b.reshape(scale, perSample);
    bias = b.make<nn::AddOp>(b.make<nn::MulOp>(shifts, scaled(layer.deviation)),
                             bias);
    bias = b.reshape(bias, perSample);
  }
  Value y = b.make<nn::AddOp>(b.make<nn::MulOp>(sums, scale), bias);
  float lo = op.getLo().convertToFloat(), hi = op.getHi().convertToFloat();
  if (std::isfinite(lo) || std::isfinite(hi))
    y = b.make<nn::ClampOp>(y, APFloat(float(lo * unit)),
                            APFloat(float(hi * unit)));
  return quantized ? b.make<nn::QuantizeOp>(op.getType(), y, op.getRounding())
                   : y;
}

/// The mvm of `layer` without its epilogue: sums.
static Value createSums(nn::TensorBuilder &b, const TunedLayer &layer) {
  MvmOp op = layer.op;
  size_t channels = layer.scale.size();
  auto table = RankedTensorType::get({int64_t(channels)}, b.getF64Type());
  auto fill = [&](double value) {
    return DenseElementsAttr::get(table, value);
  };
  constexpr float infinity = std::numeric_limits<float>::infinity();
  return MvmOp::create(b, op.getType().clone(b.getF32Type()), op.getMatrix(),
                       op.getInput(), op.getKernel(), op.getStrides(),
                       op.getDilations(), op.getPads(), fill(1), fill(0),
                       APFloat(-infinity), APFloat(infinity), op.getRounding(),
                       ElementsAttr(), ElementsAttr());
}

/// Means of `terms`, of which there are `perSample` for a sample, over all but
/// the first dimension.
static Value averagePerSample(nn::TensorBuilder &b, Value terms,
                              double perSample) {
  int64_t rank = cast<RankedTensorType>(terms.getType()).getRank();
  Value sum = b.sum(terms, llvm::to_vector(llvm::seq<int64_t>(1, rank)), false);
  return b.make<nn::MulOp>(sum, b.scalar(1 / perSample));
}

/// The logarithm of the softmax along `axis`.
static Value buildLogSoftmax(nn::TensorBuilder &b, Value value, int64_t axis) {
  Value top = b.make<nn::ReduceOp>(value, nn::Reduction::Max,
                                   ArrayRef<int64_t>(axis), /*keep_dims=*/true);
  Value shifted = b.make<nn::SubOp>(value, top);
  Value all = b.sum(b.make<nn::ExpOp>(shifted), axis);
  return b.make<nn::SubOp>(shifted, b.make<nn::LogOp>(all));
}

/// How far `value` is from `target`, per sample: the squared error over the
/// energy, and of classes the divergence of their probabilities as well.
static Value buildLoss(nn::TensorBuilder &b, const TunedOutput &output,
                       Value value, Value target) {
  auto type = cast<RankedTensorType>(value.getType());
  double perSample = double(type.getNumElements()) / double(type.getDimSize(0));
  Value divergence;
  if (output.classes) {
    int64_t axis = *output.classes;
    Value probability = target;
    if (output.isSoftmax) {
      value = buildLogSoftmax(
          b, value.getDefiningOp<nn::SoftmaxOp>().getInput(), axis);
      target = b.make<nn::LogOp>(
          b.make<nn::MaxOp>(target, b.scalar(leastProbability)));
    } else {
      probability = b.make<nn::SoftmaxOp>(target, axis);
    }
    Value found = output.isSoftmax ? value : buildLogSoftmax(b, value, axis);
    Value wanted = output.isSoftmax ? target : buildLogSoftmax(b, target, axis);
    Value terms =
        b.make<nn::MulOp>(probability, b.make<nn::SubOp>(wanted, found));
    divergence =
        averagePerSample(b, terms, perSample / double(type.getDimSize(axis)));
  }
  Value error = b.make<nn::SubOp>(value, target);
  Value squared = averagePerSample(b, b.make<nn::MulOp>(error, error),
                                   perSample * output.energy);
  return divergence ? b.make<nn::AddOp>(divergence, squared) : squared;
}

namespace {

/// Lets layers read their scales, biases and cells from parameters.
class LayerOpener {
public:
  /// `parameters`: the arguments for them.
  LayerOpener(const TunedNetwork &network, const Arch &arch,
              ValueRange parameters)
      : network(network), arch(arch), tables(parameters.front()) {
    Block *block = tables.getParentBlock();
    nn::TensorBuilder b(tables.getLoc(), block, block->begin());
    // Every sample brings the same cells.
    for (Value plane : parameters.drop_front())
      planes.push_back(b.rows(plane, 0, 1));
  }

  void run() {
    for (const TunedLayer &layer : network.layers)
      open(layer);
  }

private:
  void open(const TunedLayer &layer) {
    MvmOp op = layer.op;
    nn::TensorBuilder b(op->getLoc(), op);
    Value factors, shifts;
    if (int64_t channels = layer.parameterCount() / 2) {
      factors = b.columns(tables, at, channels);
      shifts = b.columns(tables, at + channels, channels);
      at += 2 * channels;
    }
    Value sums = openCells(b, op);
    if (!sums)
      sums = createSums(b, layer);
    op.replaceAllUsesWith(buildEpilogue(b, layer, sums, factors, shifts));
    op.erase();
  }

  /// What `op` sums up, if its cells are parameters.
  Value openCells(nn::TensorBuilder &b, MvmOp op) {
    ArrayRef<Value> left = planes;
    for (const TunedMatrix &matrix : network.matrices) {
      MatrixOp own = matrix.op;
      if (own.getSymName() == op.getMatrix())
        return buildSums(b, op, matrix, arch, left.take_front(matrix.planes));
      left = left.drop_front(matrix.planes);
    }
    return Value();
  }

  const TunedNetwork &network;
  const Arch &arch;
  Value tables;
  SmallVector<Value> planes; // of all matrices
  int64_t at = 0;
};

} // namespace

LogicalResult buildTuningProgram(ModuleOp module, const Arch &arch,
                                 ArrayRef<TunedOutput> outputs, bool gradients,
                                 bool withCells) {
  FailureOr<TunedNetwork> network = collectTuned(module, arch, withCells);
  if (failed(network))
    return failure();
  func::FuncOp main = getMain(module);
  Operation *terminator = main.front().getTerminator();
  Location loc = main.getLoc();
  nn::TensorBuilder b(loc, terminator);
  int64_t batch =
      cast<RankedTensorType>(main.getArgumentTypes().front()).getDimSize(0);
  auto addArgument = [&](Type type) {
    unsigned index = main.getNumArguments();
    (void)main.insertArgument(index, type, DictionaryAttr(), loc);
    return main.getArgument(index);
  };
  SmallVector<Value> targets;
  for (const TunedOutput &output : outputs)
    targets.push_back(
        addArgument(terminator->getOperand(output.number).getType()));
  SmallVector<Value> parameters;
  for (int64_t count : network->listParameters(withCells))
    parameters.push_back(
        addArgument(RankedTensorType::get({batch, count}, b.getF32Type())));
  LayerOpener(*network, arch, parameters).run();
  Value loss;
  for (auto [output, target] : llvm::zip_equal(outputs, targets)) {
    Value own =
        buildLoss(b, output, terminator->getOperand(output.number), target);
    loss = loss ? b.make<nn::AddOp>(loss, own) : own;
  }
  SmallVector<Value> results{loss};
  if (gradients) {
    FailureOr<SmallVector<Value>> gradient =
        nn::createGradients(main, loss, parameters);
    if (failed(gradient))
      return failure();
    llvm::append_range(results, *gradient);
  }
  terminator->setOperands(results);
  main.setType(b.getFunctionType(main.getArgumentTypes(),
                                 ValueRange(results).getTypes()));
  main.setAllResultAttrs(ArrayRef<DictionaryAttr>(
      SmallVector<DictionaryAttr>(results.size(), b.getDictionaryAttr({}))));
  return success();
}

} // namespace cim
