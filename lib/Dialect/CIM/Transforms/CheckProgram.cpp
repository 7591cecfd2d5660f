// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Phase contract of a program: arrays, layers and streams agree.
#include "PhaseChecks.h"
#include "cim/Dialect/CIM/Transforms/BlockExtent.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

using namespace mlir;
using namespace cim;

namespace {

/// An array with its image and, for every cell, the block that it belongs to.
struct Cells {
  ArrayOp op;
  int64_t rows, columns;
  std::vector<int8_t> image;
  std::vector<BlockOp> owners;
};

class ProgramChecker {
public:
  ProgramChecker(ModuleOp module, const Arch &arch)
      : module(module), arch(arch) {}

  LogicalResult run() {
    if (failed(checkNothingLogical()) || failed(readArrays()))
      return failure();
    for (LayerOp layer : module.getOps<LayerOp>())
      if (failed(checkLayer(layer)))
        return failure();
    return success(succeeded(checkUnusedCells()) && succeeded(checkStreams()));
  }

private:
  LogicalResult checkNothingLogical();
  LogicalResult readArrays();
  LogicalResult checkLayer(LayerOp layer);
  LogicalResult checkEpilogue(LayerOp layer);
  LogicalResult claim(LayerOp layer, BlockOp block);
  LogicalResult checkUnusedCells();
  LogicalResult checkStreams();

  ModuleOp module;
  const Arch &arch;
  llvm::MapVector<StringRef, Cells> arrays;
};

} // namespace

LogicalResult ProgramChecker::checkNothingLogical() {
  WalkResult result = module.walk([](Operation *op) {
    if (!isa<MatrixOp, MvmOp>(op))
      return WalkResult::advance();
    op->emitOpError("is left in a program; run 'cim-build-program'");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult ProgramChecker::readArrays() {
  for (ArrayOp op : module.getOps<ArrayOp>()) {
    ArrayRef<int64_t> shape =
        cast<ShapedType>(cast<TypedAttr>(op.getImage()).getType()).getShape();
    if (shape[0] > arch.arrayRows() || shape[1] > arch.arrayColumns())
      return op.emitOpError("expects at most ")
             << arch.arrayRows() << " x " << arch.arrayColumns()
             << " cells, which an array of target '" << arch.name()
             << "' has, but got " << shape[0] << " x " << shape[1];
    FailureOr<std::vector<int8_t>> image =
        readElements<int8_t>(op.getLoc(), op.getImage());
    if (failed(image))
      return failure();
    for (auto [i, cell] : llvm::enumerate(*image))
      if (cell < arch.cellLo() || cell > arch.cellHi())
        return op.emitOpError("expects cells from ")
               << arch.cellLo() << " to " << arch.cellHi() << ", but row "
               << i / shape[1] << ", column " << i % shape[1] << " holds "
               << int64_t(cell);
    size_t size = image->size();
    arrays[op.getSymName()] = {op, shape[0], shape[1], std::move(*image),
                               std::vector<BlockOp>(size)};
  }
  return success();
}

/// Layers that share a matrix share its cells; any other overlap is an error.
static bool isSamePlace(BlockOp a, BlockOp b) {
  BlockExtent x(a), y(b);
  return a->getParentOp() != b->getParentOp() && x.row == y.row &&
         x.column == y.column && x.kCount == y.kCount && x.nCount == y.nCount &&
         x.repeat == y.repeat && x.plane == y.plane && x.k == y.k && x.n == y.n;
}

LogicalResult ProgramChecker::claim(LayerOp layer, BlockOp block) {
  if (!block.getArray() || !block.getGain())
    return block.emitOpError("expects a place and a gain");
  auto it = arrays.find(*block.getArray());
  if (it == arrays.end())
    return block.emitOpError("expects a cim.array named @")
           << *block.getArray();
  Cells &cells = it->second;
  BlockExtent extent(block);
  if (extent.repeat > cells.rows ||
      extent.row > cells.rows - extent.cellRows() ||
      extent.column > cells.columns - extent.nCount) {
    InFlightDiagnostic error = block.emitOpError("leaves the ")
                               << cells.rows << " x " << cells.columns
                               << " cells of its array";
    error.attachNote(cells.op.getLoc()) << "array is here";
    return error;
  }
  int64_t rows =
      layer.getInput()[2] * layer.getKernel()[0] * layer.getKernel()[1];
  int64_t groupRows = rows / layer.getGroups();
  int64_t groupColumns = layer.getOutput()[2] / layer.getGroups();
  for (int64_t r = 0; r < extent.cellRows(); ++r)
    for (int64_t c = 0; c < extent.nCount; ++c) {
      int64_t cell = (extent.row + r) * cells.columns + extent.column + c;
      BlockOp &owner = cells.owners[cell];
      if (owner && !isSamePlace(owner, block)) {
        InFlightDiagnostic error = block.emitOpError("lies in cells of @")
                                   << *block.getArray() << " that are taken";
        error.attachNote(owner.getLoc()) << "by this block";
        return error;
      }
      owner = block;
      int64_t k = extent.k + r / extent.repeat, n = extent.n + c;
      if (cells.image[cell] != 0 && k / groupRows != n / groupColumns)
        return block.emitOpError("expects 0 between groups, but matrix row ")
               << k << ", column " << n << " holds "
               << int64_t(cells.image[cell]);
    }
  return success();
}

LogicalResult ProgramChecker::checkEpilogue(LayerOp layer) {
  std::pair<StringRef, ElementsAttr> tables[] = {
      {"significance", layer.getSignificance()},
      {"scale", layer.getScale()},
      {"bias", layer.getBias()}};
  for (auto &[name, table] : tables) {
    FailureOr<std::vector<float>> values =
        readElements<float>(layer.getLoc(), table);
    if (failed(values))
      return failure();
    for (float value : *values)
      if (!std::isfinite(value))
        return layer.emitOpError("expects a finite ")
               << name << ", but got " << value;
  }
  if (layer.getOutputType().isF32())
    return success();
  bool isUnsigned = layer.getOutputType().isUnsignedInteger();
  return checkBounds(layer, layer.getLo().convertToFloat(),
                     layer.getHi().convertToFloat(), isUnsigned ? 0 : -128,
                     isUnsigned ? 255 : 127);
}

LogicalResult ProgramChecker::checkLayer(LayerOp layer) {
  for (BlockOp block : layer.getBody().getOps<BlockOp>())
    if (failed(claim(layer, block)))
      return failure();
  if (failed(checkEpilogue(layer)))
    return failure();
  int64_t planes =
      cast<ShapedType>(cast<TypedAttr>(layer.getSignificance()).getType())
          .getDimSize(0);
  return checkCover(
      layer, layer.getInput()[2] * layer.getKernel()[0] * layer.getKernel()[1],
      layer.getOutput()[2], layer.getGroups(), planes);
}

LogicalResult ProgramChecker::checkUnusedCells() {
  for (auto &[name, cells] : arrays)
    for (auto [i, owner] : llvm::enumerate(cells.owners))
      if (!owner && cells.image[i] != 0)
        return cells.op.emitOpError("expects 0 where no block lies, but row ")
               << i / cells.columns << ", column " << i % cells.columns
               << " holds " << int64_t(cells.image[i]);
  return success();
}

LogicalResult ProgramChecker::checkStreams() {
  auto batch = module->getAttrOfType<IntegerAttr>("nn.batch");
  if (!batch)
    return module.emitError("expected attribute 'nn.batch', the samples per "
                            "call");
  llvm::SmallVector<StringRef> order;
  WalkResult result = module.walk([&](StreamOp stream) {
    auto type = cast<ShapedType>(stream.getInput().getType());
    if (type.getDimSize(0) != batch.getInt()) {
      stream.emitOpError("expects ")
          << batch.getInt() << " images ('nn.batch'), but got "
          << type.getDimSize(0);
      return WalkResult::interrupt();
    }
    if (!llvm::is_contained(order, stream.getLayer()))
      order.push_back(stream.getLayer());
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  size_t next = 0;
  for (LayerOp layer : module.getOps<LayerOp>()) {
    if (next < order.size() && order[next] == layer.getSymName()) {
      ++next;
      continue;
    }
    return layer.emitOpError("expects the layers of a module to be in the "
                             "order of their streams, but place ")
           << next << " is that of "
           << (next < order.size() ? ("@" + order[next]).str()
                                   : std::string("no stream"));
  }
  return success();
}

LogicalResult cim::checkProgram(ModuleOp module, const Arch &arch) {
  return ProgramChecker(module, arch).run();
}
