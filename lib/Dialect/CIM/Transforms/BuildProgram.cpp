// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-build-program: arrays with images, layers, streams.
#include "cim/Dialect/CIM/Transforms/BlockExtent.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include <cmath>

namespace cim {
#define GEN_PASS_DEF_BUILDPROGRAMPASS
#include "cim/Dialect/CIM/Transforms/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

namespace {

/// The part of an array that blocks use, and the blocks.
struct ArrayUse {
  int64_t rows = 0, columns = 0;
  SmallVector<BlockOp> blocks;
  Location loc;
};

/// Images larger than this are a mistake, not an array.
constexpr int64_t maxImageCells = int64_t(1) << 30;

struct BuildProgramPass
    : public cim::impl::BuildProgramPassBase<BuildProgramPass> {
  using BuildProgramPassBase::BuildProgramPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<MvmOp> mvms;
    llvm::StringSet<> used;
    module.walk([&](MvmOp mvm) {
      mvms.push_back(mvm);
      used.insert(mvm.getMatrix());
    });
    for (MatrixOp matrix :
         llvm::make_early_inc_range(module.getOps<MatrixOp>()))
      if (!used.contains(matrix.getSymName()))
        matrix.erase();
    if (failed(buildArrays()))
      return signalPassFailure();
    // Layers take the names of matrices, which therefore leave the module now.
    SmallVector<OwningOpRef<MatrixOp>> owners;
    llvm::StringMap<MatrixOp> matrices;
    for (MatrixOp matrix :
         llvm::make_early_inc_range(module.getOps<MatrixOp>())) {
      matrices[matrix.getSymName()] = matrix;
      matrix->remove();
      owners.emplace_back(matrix);
    }
    SymbolTable symbols(module);
    for (MvmOp mvm : mvms)
      if (failed(buildLayer(mvm, matrices.lookup(mvm.getMatrix()), symbols)))
        return signalPassFailure();
  }

private:
  //===--------------------------------------------------------------------===//
  // Arrays
  //===--------------------------------------------------------------------===//

  LogicalResult checkBlock(BlockOp block) {
    if (!block.getArray())
      return block.emitOpError("expects a place in an array; run "
                               "'cim-place-blocks'");
    if (!block.getGain())
      return block.emitOpError("expects a gain; run 'cim-calibrate-layers' or "
                               "'cim-set-adc-gain'");
    BlockExtent extent(block);
    if (extent.row <= maxImageCells && extent.column <= maxImageCells &&
        extent.endRow() * extent.endColumn() <= maxImageCells)
      return success();
    return block.emitOpError("expects a place in an array of at most ")
           << maxImageCells << " cells, but got row " << *block.getRow()
           << " and column " << *block.getColumn();
  }

  FailureOr<llvm::MapVector<StringRef, ArrayUse>> collectArrays() {
    llvm::MapVector<StringRef, ArrayUse> arrays;
    for (MatrixOp matrix : getOperation().getOps<MatrixOp>()) {
      if (!matrix.getSplit() || matrix.getBody().front().empty())
        return matrix.emitOpError("expects planes and blocks; run "
                                  "'cim-split-weights' and "
                                  "'cim-tile-matrices'");
      for (BlockOp block : matrix.getBody().getOps<BlockOp>()) {
        if (failed(checkBlock(block)))
          return failure();
        ArrayUse &use = arrays
                            .try_emplace(*block.getArray(),
                                         ArrayUse{0, 0, {}, block.getLoc()})
                            .first->second;
        use.blocks.push_back(block);
        BlockExtent extent(block);
        use.rows = std::max(use.rows, extent.endRow());
        use.columns = std::max(use.columns, extent.endColumn());
      }
    }
    return arrays;
  }

  LogicalResult buildArrays() {
    auto arrays = collectArrays();
    if (failed(arrays))
      return failure();
    llvm::DenseMap<Operation *, std::vector<int8_t>> digits;
    for (MatrixOp matrix : getOperation().getOps<MatrixOp>()) {
      auto values = readElements<int8_t>(matrix.getLoc(), *matrix.getPlanes());
      if (failed(values))
        return failure();
      digits[matrix] = std::move(*values);
    }
    SmallVector<StringRef> names(llvm::make_first_range(*arrays));
    // array2 before array10: the order of the module is the number of an array.
    llvm::sort(names, [](StringRef a, StringRef b) {
      return std::pair(a.size(), a) < std::pair(b.size(), b);
    });
    OpBuilder builder = OpBuilder::atBlockBegin(getOperation().getBody());
    for (StringRef name : names) {
      ArrayUse &use = arrays->find(name)->second;
      if (Operation *other =
              SymbolTable::lookupSymbolIn(getOperation(), name)) {
        InFlightDiagnostic error =
            use.blocks[0].emitOpError("expects an array name of its own, but "
                                      "got @")
            << name;
        error.attachNote(other->getLoc()) << "which is the name of this op";
        return error;
      }
      std::vector<int8_t> image(use.rows * use.columns);
      for (BlockOp block : use.blocks)
        writeBlock(block, digits[block->getParentOp()], use.columns, image);
      auto type =
          RankedTensorType::get({use.rows, use.columns}, builder.getI8Type());
      ArrayOp::create(builder, use.loc, name,
                      makeElements<int8_t>(type, image, name.str() + "_image"));
    }
    return success();
  }

  /// Writes the cells of a block into an image with rows of `stride` cells.
  static void writeBlock(BlockOp block, ArrayRef<int8_t> digits, int64_t stride,
                         std::vector<int8_t> &image) {
    auto matrix = cast<MatrixOp>(block->getParentOp());
    BlockExtent extent(block);
    int64_t columns = matrix.getColumns(), size = matrix.getRows() * columns;
    for (int64_t k = 0; k < extent.kCount; ++k)
      for (int64_t r = 0; r < extent.repeat; ++r) {
        int64_t plane = extent.plane * extent.repeat + r;
        const int8_t *from =
            digits.data() + plane * size + (extent.k + k) * columns + extent.n;
        int64_t row = extent.row + k * extent.repeat + r;
        std::copy_n(from, extent.nCount,
                    image.begin() + row * stride + extent.column);
      }
  }

  //===--------------------------------------------------------------------===//
  // Layers and streams
  //===--------------------------------------------------------------------===//

  /// What the device calls the elements of a map: i8, ui8 or f32.
  FailureOr<Type> deviceType(MvmOp mvm, Type element) {
    if (element.isF32())
      return element;
    auto type = dyn_cast<quant::UniformQuantizedType>(element);
    if (!type || type.getZeroPoint() != 0 ||
        type.getStorageTypeIntegralWidth() != 8)
      return mvm.emitOpError("expects 8-bit integers with one scale and zero "
                             "point 0, but got ")
             << element;
    return IntegerType::get(&getContext(), 8,
                            type.isSigned() ? IntegerType::Signless
                                            : IntegerType::Unsigned);
  }

  /// A table of the epilogue, rounded to binary32.
  FailureOr<ElementsAttr> roundTable(MatrixOp matrix, ElementsAttr table,
                                     StringRef what) {
    FailureOr<std::vector<double>> values =
        readElements<double>(matrix.getLoc(), table);
    if (failed(values))
      return failure();
    std::vector<float> rounded(values->begin(), values->end());
    for (auto [n, value] : llvm::enumerate(rounded))
      if (!std::isfinite(value))
        return emitError(matrix.getLoc(), "expected a ")
               << what << " that binary32 holds, but that of channel " << n
               << " is " << (*values)[n]
               << "; the weights are too large for the activations";
    return makeElements<float>(
        RankedTensorType::get({int64_t(rounded.size())},
                              Float32Type::get(&getContext())),
        rounded, (matrix.getSymName() + "_" + what).str());
  }

  LogicalResult buildLayer(MvmOp mvm, MatrixOp matrix, SymbolTable &symbols) {
    ShapedType in = mvm.getInput().getType(), out = mvm.getType();
    std::string name = matrix.getSymName().str();
    FailureOr<Type> inType = deviceType(mvm, in.getElementType());
    FailureOr<Type> outType = deviceType(mvm, out.getElementType());
    FailureOr<ElementsAttr> scale = roundTable(matrix, mvm.getScale(), "scale");
    FailureOr<ElementsAttr> bias = roundTable(matrix, mvm.getBias(), "bias");
    if (failed(inType) || failed(outType) || failed(scale) || failed(bias))
      return failure();
    Operation *at = mvm;
    while (at->getParentOp() != getOperation())
      at = at->getParentOp();
    OpBuilder builder(at);
    auto layer = LayerOp::create(
        builder, matrix.getLoc(), name, in.getShape().drop_front(), *inType,
        out.getShape().drop_front(), *outType, mvm.getKernel(),
        mvm.getStrides(), mvm.getDilations(), mvm.getPads(), matrix.getGroups(),
        *matrix.getSignificance(), *scale, *bias, mvm.getLo(), mvm.getHi(),
        mvm.getRounding(), matrix.getRepeat());
    builder.createBlock(&layer.getBody());
    for (BlockOp block : matrix.getBody().getOps<BlockOp>())
      builder.clone(*block);
    symbols.insert(layer);
    buildStream(mvm, layer);
    return success();
  }

  void buildStream(MvmOp mvm, LayerOp layer) {
    OpBuilder builder(mvm);
    Location loc = mvm.getLoc();
    Type i8 = builder.getI8Type();
    Value input = quant::StorageCastOp::create(
        builder, loc, mvm.getInput().getType().clone(i8), mvm.getInput());
    ShapedType out = mvm.getType();
    bool isFloat = out.getElementType().isF32();
    auto stored = cast<RankedTensorType>(isFloat ? out : out.clone(i8));
    Value empty = tensor::EmptyOp::create(builder, loc, stored.getShape(),
                                          stored.getElementType());
    Value result =
        StreamOp::create(builder, loc, stored, layer.getSymName(), input, empty)
            .getResult();
    if (!isFloat)
      result = quant::StorageCastOp::create(builder, loc, out, result);
    mvm.replaceAllUsesWith(result);
    mvm.erase();
  }
};

} // namespace
