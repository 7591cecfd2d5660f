// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The value of --cells: how many cells a weight of each layer takes.
#ifndef CIM_DIALECT_CIM_TRANSFORMS_CELLSPERLAYER_H
#define CIM_DIALECT_CIM_TRANSFORMS_CELLSPERLAYER_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringMap.h"
#include <optional>
#include <string>

namespace cim {

/// "3" means three cells everywhere; "conv1=4,fc=1,*=2" names nodes, "*" being
/// all others.
class CellsPerLayer {
public:
  static constexpr int64_t defaultCells = 2, maxCells = 127;

  /// On failure one error at `location` says which part is wrong.
  static llvm::FailureOr<CellsPerLayer> parse(mlir::Location location,
                                              llvm::StringRef text) {
    CellsPerLayer result;
    if (std::optional<std::string> wrong = result.read(text))
      return mlir::emitError(location) << *wrong;
    return result;
  }

  /// What is wrong with `text`, or nothing.
  static std::optional<std::string> check(llvm::StringRef text) {
    return CellsPerLayer().read(text);
  }

  /// Cells of the node `name`.
  int64_t lookup(llvm::StringRef name) const {
    auto it = cells.find(name);
    if (it == cells.end())
      it = cells.find("*");
    return it == cells.end() ? defaultCells : it->second;
  }

  /// Names that the text mentions, but "*"; in no particular order.
  llvm::SmallVector<llvm::StringRef> names() const {
    llvm::SmallVector<llvm::StringRef> result;
    for (llvm::StringRef name : cells.keys())
      if (name != "*")
        result.push_back(name);
    return result;
  }

private:
  std::optional<std::string> read(llvm::StringRef text) {
    llvm::SmallVector<llvm::StringRef> parts;
    text.split(parts, ',');
    for (llvm::StringRef part : parts) {
      // A node name may itself contain '='.
      auto [name, number] = part.contains('=')
                                ? part.rsplit('=')
                                : std::pair(llvm::StringRef("*"), part);
      int64_t count = 0;
      if (number.trim().getAsInteger(10, count) || count < 1 ||
          count > maxCells || name.trim().empty())
        return ("expected cells per weight as a number from 1 to " +
                llvm::Twine(maxCells) +
                " or as 'node=number,..,*=number', but got '" + part + "'")
            .str();
      if (!cells.try_emplace(name.trim(), count).second)
        return ("expected cells per weight once for '" + name.trim() +
                "', but got '" + text + "'")
            .str();
    }
    return std::nullopt;
  }

  llvm::StringMap<int64_t> cells;
};

} // namespace cim

#endif // CIM_DIALECT_CIM_TRANSFORMS_CELLSPERLAYER_H
