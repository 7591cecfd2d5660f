// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Facts about the use of arrays.
#include "cim/Dialect/CIM/IR/CIM.h"
#include "cim/Target/Manifest.h"
#include <set>
#include <tuple>

using namespace mlir;

namespace cim {

/// Activations of arrays for one window of a layer.
static int64_t activationsPerWindow(LayerOp layer) {
  std::set<std::tuple<StringRef, int64_t, int64_t>> activations;
  for (auto block : layer.getBody().getOps<BlockOp>())
    activations.insert({block.getArray().value_or(""),
                        block.getRow().value_or(0), block.getK()});
  return activations.size();
}

llvm::json::Object buildStatistics(ModuleOp program,
                                   const std::optional<Arch> &arch) {
  int64_t arrays = 0, cells = 0, used = 0, mvms = 0;
  for (auto array : program.getOps<ArrayOp>()) {
    auto image = cast<ShapedType>(cast<TypedAttr>(array.getImage()).getType());
    ++arrays;
    cells += arch && !arch->isHost() ? arch->arrayRows() * arch->arrayColumns()
                                     : image.getNumElements();
  }
  for (auto layer : program.getOps<LayerOp>()) {
    ArrayRef<int64_t> output = layer.getOutput();
    mvms += output[0] * output[1] * activationsPerWindow(layer);
    for (auto block : layer.getBody().getOps<BlockOp>())
      used += block.getKCount() * layer.getRepeat() * block.getNCount();
  }
  return llvm::json::Object{
      {"arrays", arrays},
      {"cells_used", used},
      {"cell_utilisation", cells ? double(used) / double(cells) : 0.0},
      {"mvms_per_image", mvms}};
}

} // namespace cim
