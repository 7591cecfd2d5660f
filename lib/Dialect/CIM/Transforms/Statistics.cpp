// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counting how a program uses its arrays.
#include "cim/Dialect/CIM/Transforms/Statistics.h"
#include "cim/Dialect/CIM/Transforms/BlockExtent.h"
#include <set>

using namespace mlir;
using namespace cim;

double MappingStatistics::utilisation(int64_t rows, int64_t columns) const {
  double available = double(arrays) * double(rows) * double(columns);
  return available > 0 ? double(cellsUsed) / available : 0;
}

MappingStatistics cim::computeMappingStatistics(ModuleOp module) {
  using Activation = std::tuple<StringRef, int64_t, int64_t, int64_t>;
  MappingStatistics result;
  auto arrays = module.getOps<ArrayOp>();
  result.arrays = std::distance(arrays.begin(), arrays.end());
  std::set<std::tuple<StringRef, int64_t, int64_t>> corners;
  for (LayerOp layer : module.getOps<LayerOp>()) {
    LayerStatistics statistics;
    statistics.symbol = layer.getSymName().str();
    auto significance =
        cast<ShapedType>(cast<TypedAttr>(layer.getSignificance()).getType());
    statistics.cellsPerWeight =
        significance.getDimSize(0) * int64_t(layer.getRepeat());
    statistics.windowsPerImage = layer.getOutput()[0] * layer.getOutput()[1];
    std::set<Activation> activations;
    for (BlockOp block : layer.getBody().getOps<BlockOp>()) {
      BlockExtent extent(block);
      int64_t cells = extent.cellRows() * extent.nCount;
      statistics.cells += cells;
      if (!block.getArray())
        continue;
      activations.emplace(*block.getArray(), extent.row, extent.k,
                          extent.kCount);
      // Blocks of layers with one matrix have the same corner.
      if (corners.emplace(*block.getArray(), extent.row, extent.column).second)
        result.cellsUsed += cells;
    }
    statistics.mvmsPerWindow = activations.size();
    result.mvmsPerImage +=
        statistics.mvmsPerWindow * statistics.windowsPerImage;
    result.layers.push_back(std::move(statistics));
  }
  return result;
}
