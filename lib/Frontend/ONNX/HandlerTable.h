// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which ONNX operators the importer takes, from which opset on, and how.
#ifndef CIM_LIB_FRONTEND_ONNX_HANDLERTABLE_H
#define CIM_LIB_FRONTEND_ONNX_HANDLERTABLE_H

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/LogicalResult.h"
#include <map>
#include <string>

namespace cim::onnx {

class NodeBinder;

/// Oldest and newest version of the default operator set that are read.
constexpr int64_t kOldestOpset = 7;
constexpr int64_t kNewestOpset = 28;
inline bool isSupportedOpset(int64_t version) {
  return version >= kOldestOpset && version <= kNewestOpset;
}

/// Translates one node; has reported an error when it fails.
using Handler = llvm::LogicalResult (*)(NodeBinder &);

/// Where an operator runs once compiled for a crossbar target.
enum class Place {
  Crossbar, ///< on the arrays, when its weights are constant
  Digital,  ///< in the digital remainder
  Folded,   ///< nowhere: computed or removed by the compiler
};

/// What docs/SupportedOps.md says about an operator.
struct OpSummary {
  Place place;
  const char *restrictions; ///< one line, may be empty
};

/// Handlers by operator and by the opset version since which each one holds.
/// Operators of another domain are keyed "domain.Name".
class HandlerTable {
public:
  struct Entry {
    OpSummary summary;
    std::map<int64_t, Handler> versions; ///< by since_version
  };

  /// Adds an operator. `versions` lists, for every version of the ONNX
  /// specification that changes its form, the handler that reads it.
  void add(llvm::StringRef op, OpSummary summary,
           std::initializer_list<std::pair<const int64_t, Handler>> versions) {
    entries[op.str()] = Entry{summary, versions};
  }

  /// The handler of `op` in `opset`, or null.
  Handler lookup(llvm::StringRef op, int64_t opset) const {
    auto entry = entries.find(op.str());
    if (entry == entries.end())
      return nullptr;
    auto next = entry->second.versions.upper_bound(opset);
    return next == entry->second.versions.begin() ? nullptr
                                                  : std::prev(next)->second;
  }

  const std::map<std::string, Entry> &getEntries() const { return entries; }

  /// The table of all operators.
  static const HandlerTable &get();

private:
  std::map<std::string, Entry> entries;
};

void registerConvolution(HandlerTable &table);
void registerConvTranspose(HandlerTable &table);
void registerProducts(HandlerTable &table);
void registerEinsum(HandlerTable &table);
void registerRecurrent(HandlerTable &table);
void registerAttention(HandlerTable &table);
void registerRotaryEmbedding(HandlerTable &table);
void registerElementwise(HandlerTable &table);
void registerActivations(HandlerTable &table);
void registerLogic(HandlerTable &table);
void registerNormalization(HandlerTable &table);
void registerLayerNormalization(HandlerTable &table);
void registerLinearAttention(HandlerTable &table);
void registerFourier(HandlerTable &table);
void registerDeterminant(HandlerTable &table);
void registerSoftmax(HandlerTable &table);
void registerLosses(HandlerTable &table);
void registerRanking(HandlerTable &table);
void registerCumulative(HandlerTable &table);
void registerPooling(HandlerTable &table);
void registerReduction(HandlerTable &table);
void registerShape(HandlerTable &table);
void registerSlicing(HandlerTable &table);
void registerSpaceDepth(HandlerTable &table);
void registerDeformConv(HandlerTable &table);
void registerGridSample(HandlerTable &table);
void registerMaxUnpool(HandlerTable &table);
void registerResize(HandlerTable &table);
void registerRoiAlign(HandlerTable &table);
void registerPadding(HandlerTable &table);
void registerGathering(HandlerTable &table);
void registerScattering(HandlerTable &table);
void registerMasks(HandlerTable &table);
void registerDataDependent(HandlerTable &table);
void registerConstants(HandlerTable &table);
void registerQuantization(HandlerTable &table);
void registerQuantizedProducts(HandlerTable &table);
void registerQonnx(HandlerTable &table);
void registerControlFlow(HandlerTable &table);
void registerScan(HandlerTable &table);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_HANDLERTABLE_H
