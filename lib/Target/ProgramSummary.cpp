// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counting what a program does.
#include "ProgramSummary.h"
#include "cim/Dialect/CIM/IR/CIM.h"
#include "cim/Dialect/CIM/Transforms/NodeName.h"
#include "cim/Dialect/CIM/Transforms/Statistics.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace cim;
using namespace cim::report;

const llvm::StringLiteral cim::report::costAssumptions =
    "first order, analog part only: no digital operations, buffers or "
    "transfers. Layers run one after the other and windows one after the "
    "other; for one window the arrays of a layer work at the same time, and "
    "MVMs of the same array one after the other";

template <typename Get>
static double sum(const std::vector<report::Layer> &layers, Get get) {
  double total = 0;
  for (const report::Layer &layer : layers)
    total += get(layer);
  return total;
}

double Program::macs() const {
  return sum(layers, [](const Layer &layer) { return layer.macs; });
}

double Program::seconds() const {
  return sum(layers, [](const Layer &layer) { return layer.seconds; });
}

std::optional<double> Program::joules() const {
  for (const Layer &layer : layers)
    if (!layer.joules)
      return std::nullopt;
  return sum(layers, [](const Layer &layer) { return *layer.joules; });
}

namespace {

class Summary {
public:
  Summary(ModuleOp module, const Arch &arch) : module(module), arch(arch) {}

  FailureOr<Program> run() {
    if (auto name = module->getAttrOfType<StringAttr>("nn.model"))
      program.model = name.getValue().str();
    for (Operation &op : module.getOps()) {
      if (isa<MatrixOp>(op))
        return op.emitOpError("expects to be part of a program before it can "
                              "be reported; run 'cim-build-program'");
      if (arch.isHost() && isa<ArrayOp, LayerOp>(op))
        return op.emitOpError("expects a target with arrays, but got '")
               << arch.name() << "'";
    }
    addArrays();
    MappingStatistics statistics = computeMappingStatistics(module);
    for (auto [layer, counts] :
         llvm::zip_equal(module.getOps<LayerOp>(), statistics.layers))
      if (failed(addLayer(layer, counts)))
        return failure();
    program.mvms = double(statistics.mvmsPerImage);
    program.cells = double(statistics.cellsUsed);
    if (!arch.isHost())
      program.utilisation =
          statistics.utilisation(arch.arrayRows(), arch.arrayColumns());
    module.walk([&](Operation *op) { addDigital(op); });
    return std::move(program);
  }

private:
  void addArrays();
  LogicalResult addLayer(LayerOp op, const LayerStatistics &counts);
  LogicalResult addBlock(LayerOp layer, BlockOp op);
  void addToActivation(LayerOp layer, BlockOp op);
  void addCost(Layer &layer);
  void addDigital(Operation *op);

  ModuleOp module;
  const Arch &arch;
  Program program;
  llvm::StringMap<int64_t> arrayIndex;
  /// Upper left cells of blocks; layers with one matrix have the same.
  llvm::DenseSet<std::tuple<int64_t, int64_t, int64_t>> corners;
  /// (array, row, first matrix row, matrix rows) of the current layer's
  /// activations.
  llvm::MapVector<std::tuple<int64_t, int64_t, int64_t, int64_t>, Activation>
      activations;
};

} // namespace

void Summary::addArrays() {
  for (ArrayOp op : module.getOps<ArrayOp>()) {
    arrayIndex[op.getSymName()] = program.arrays.size();
    program.arrays.push_back({op.getSymName().str(), 0, 0});
  }
}

LogicalResult Summary::addLayer(LayerOp op, const LayerStatistics &counts) {
  Layer &layer = program.layers.emplace_back();
  layer.symbol = op.getSymName().str();
  layer.node = nodeName(op.getLoc()).str();
  if (layer.node.empty())
    layer.node = layer.symbol;
  layer.groups = op.getGroups();
  layer.matrixRows = op.getKernel()[0] * op.getKernel()[1] * op.getInput()[2];
  layer.matrixColumns = op.getOutput()[2];
  layer.cellsPerWeight = counts.cellsPerWeight;
  layer.cells = double(counts.cells);
  layer.windows = double(counts.windowsPerImage);
  layer.mvms = layer.windows * double(counts.mvmsPerWindow);
  layer.macs = layer.windows * double(layer.matrixRows) *
               double(layer.matrixColumns) / double(layer.groups);
  activations.clear();
  for (BlockOp block : op.getBody().getOps<BlockOp>())
    if (failed(addBlock(op, block)))
      return failure();
  for (const auto &[key, activation] : activations)
    layer.activations.push_back(activation);
  addCost(layer);
  return success();
}

LogicalResult Summary::addBlock(LayerOp layer, BlockOp op) {
  if (!op.getArray() || !op.getGain())
    return op.emitOpError("expects a place and a gain; run "
                          "'cim-build-program'");
  auto array = arrayIndex.find(*op.getArray());
  if (array == arrayIndex.end())
    return op.emitOpError("expects a cim.array named @") << *op.getArray();
  int64_t row = *op.getRow(), column = *op.getColumn();
  int64_t rows = arch.arrayRows(), columns = arch.arrayColumns();
  int64_t repeat = layer.getRepeat(), count = op.getKCount();
  int64_t nCount = op.getNCount();
  if (count > rows / repeat || row > rows - count * repeat ||
      nCount > columns || column > columns - nCount)
    return op.emitOpError("expects a place in an array of ")
           << rows << " x " << columns << " cells, which target '"
           << arch.name() << "' has";
  Rectangle block = {array->second,
                     row,
                     column,
                     count * repeat,
                     nCount,
                     static_cast<int64_t>(op.getPlane()),
                     static_cast<int64_t>(op.getK()),
                     count,
                     static_cast<int64_t>(op.getN()),
                     op.getGain()->convertToFloat()};
  program.layers.back().blocks.push_back(block);
  if (corners.insert({block.array, row, column}).second) {
    program.arrays[block.array].blocks += 1;
    program.arrays[block.array].cells +=
        double(block.rows) * double(block.columns);
  }
  addToActivation(layer, op);
  return success();
}

/// Cells of a block that hold a weight: all but those between the groups of a
/// block-diagonal matrix.
static double weightCells(LayerOp layer, BlockOp op, const Layer &facts) {
  int64_t groupRows = facts.matrixRows / facts.groups;
  int64_t groupColumns = facts.matrixColumns / facts.groups;
  int64_t k = op.getK(), kEnd = k + int64_t(op.getKCount());
  int64_t n = op.getN(), nEnd = n + int64_t(op.getNCount());
  double cells = 0;
  for (int64_t group = k / groupRows; group * groupRows < kEnd; ++group) {
    int64_t rows = std::min(kEnd, (group + 1) * groupRows) -
                   std::max(k, group * groupRows);
    int64_t columns = std::min(nEnd, (group + 1) * groupColumns) -
                      std::max(n, group * groupColumns);
    if (columns > 0)
      cells += double(rows) * double(columns);
  }
  return cells * double(layer.getRepeat());
}

void Summary::addToActivation(LayerOp layer, BlockOp op) {
  const Layer &facts = program.layers.back();
  const Rectangle &block = facts.blocks.back();
  Activation &activation =
      activations[{block.array, block.row, block.matrixRow, block.matrixRows}];
  activation.array = block.array;
  activation.rows = double(block.rows);
  activation.columns += double(block.columns);
  activation.cells += weightCells(layer, op, facts);
}

void Summary::addCost(Layer &layer) {
  std::vector<cost::Work> work;
  double cells = 0;
  llvm::DenseMap<int64_t, double> turns; // MVMs of one array for one window
  double longest = 0;
  for (const Activation &a : layer.activations) {
    work.push_back({layer.windows, a.rows, a.columns, a.cells});
    cells += a.cells;
    longest = std::max(longest, turns[a.array] += 1);
  }
  layer.joules = cost::totalCost(arch, work).joules;
  layer.seconds =
      cost::totalCost(arch, {cost::Work{layer.windows * longest, 0, 0, 0}})
          .seconds;
  if (!layer.activations.empty())
    layer.utilisation =
        cells / double(layer.activations.size()) /
        (double(arch.arrayRows()) * double(arch.arrayColumns()));
}

/// Constants and measuring points compute nothing.
void Summary::addDigital(Operation *op) {
  if (!isa_and_present<nn::NNDialect>(op->getDialect()) ||
      isa<nn::ConstantOp, nn::ObserveOp>(op))
    return;
  DigitalOp digital;
  digital.node = nodeName(op->getLoc()).str();
  digital.op = op->getName().getStringRef().str();
  digital.offersMatrix = isa<CrossbarOpInterface>(op);
  if (auto reason = op->getAttrOfType<StringAttr>("nn.digital"))
    digital.reason = reason.getValue().str();
  program.digital.push_back(std::move(digital));
}

FailureOr<Program> cim::report::summarise(ModuleOp module, const Arch &arch) {
  return Summary(module, arch).run();
}
