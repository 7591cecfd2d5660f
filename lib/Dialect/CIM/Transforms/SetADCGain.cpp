// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-set-adc-gain: gains from weight statistics alone.
#include "cim/Dialect/CIM/Transforms/BlockExtent.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"
#include <cmath>

namespace cim {
#define GEN_PASS_DEF_SETADCGAINPASS
#include "cim/Dialect/CIM/Transforms/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

namespace {

/// The cells of a matrix, by what one input is multiplied with.
struct Factors {
  MatrixOp matrix;
  std::vector<int8_t> digits;

  double at(int64_t plane, int64_t k, int64_t n) const {
    MatrixOp op = matrix;
    int64_t columns = op.getColumns(), size = op.getRows() * columns;
    double sum = 0;
    for (int64_t r = 0, repeat = op.getRepeat(); r < repeat; ++r)
      sum += digits[(plane * repeat + r) * size + k * columns + n];
    return sum;
  }

  /// Mean over the block's columns of the sum of squares over its rows.
  double meanSquare(BlockOp block) const {
    BlockExtent extent(block);
    double sum = 0;
    for (int64_t k = 0; k < extent.kCount; ++k)
      for (int64_t n = 0; n < extent.nCount; ++n) {
        double t = at(extent.plane, extent.k + k, extent.n + n);
        sum += t * t;
      }
    return sum / extent.nCount;
  }
};

struct SetADCGainPass : public cim::impl::SetADCGainPassBase<SetADCGainPass> {
  using SetADCGainPassBase::SetADCGainPassBase;

  void runOnOperation() override {
    if (!(sigmas > 0) || !std::isfinite(sigmas)) {
      getOperation().emitError("expected a positive number of deviations as "
                               "'sigmas', but got ")
          << sigmas;
      return signalPassFailure();
    }
    FailureOr<Arch> arch = loadChip(getOperation(), target);
    if (failed(arch))
      return signalPassFailure();
    llvm::StringMap<double> largest = largestInputs();
    for (MatrixOp matrix : getOperation().getOps<MatrixOp>()) {
      // An unused matrix may see all that the converters can make.
      auto [it, unused] = largest.try_emplace(
          matrix.getSymName(),
          std::max(arch->signedInputRange().hi, arch->unsignedInputRange().hi));
      (void)unused;
      if (failed(setGains(matrix, it->second, arch->adcHi())))
        return signalPassFailure();
    }
  }

private:
  /// The largest input magnitude of every matrix over its uses.
  llvm::StringMap<double> largestInputs() {
    llvm::StringMap<double> largest;
    getOperation().walk([&](MvmOp mvm) {
      auto type =
          cast<quant::QuantizedType>(mvm.getInput().getType().getElementType());
      double reach = std::max(std::abs(double(type.getStorageTypeMin())),
                              std::abs(double(type.getStorageTypeMax())));
      double &value = largest[mvm.getMatrix()];
      value = std::max(value, reach);
    });
    return largest;
  }

  LogicalResult setGains(MatrixOp matrix, double largestInput, double adcHi) {
    if (llvm::all_of(matrix.getBody().getOps<BlockOp>(),
                     [](BlockOp block) { return bool(block.getGain()); }))
      return success();
    if (!matrix.getPlanes())
      return matrix.emitOpError("expects planes of cells; run "
                                "'cim-split-weights'");
    FailureOr<std::vector<int8_t>> digits =
        readElements<int8_t>(matrix.getLoc(), *matrix.getPlanes());
    if (failed(digits))
      return failure();
    Factors factors{matrix, std::move(*digits)};
    for (BlockOp block : matrix.getBody().getOps<BlockOp>()) {
      if (block.getGain())
        continue;
      double sigma = largestInput / 4 * std::sqrt(factors.meanSquare(block));
      double gain = sigma > 0 ? adcHi / (sigmas * sigma) : 1.0;
      block.setGain(APFloat(static_cast<float>(std::min(1.0, gain))));
    }
    return success();
  }
};

} // namespace
