// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One error with notes: operators without support, then nodes whose form is
// not supported.
#include "ImportErrors.h"
#include "HandlerTable.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace cim::onnx {

/// More notes, and more nodes in one note, help nobody.
static constexpr size_t kMaxListed = 20;

void ImportErrors::addOperator(const Node &node, std::string label,
                               int64_t opset) {
  Operator &entry =
      operators.try_emplace(operatorName(node), Operator{&node, opset, {}})
          .first->second;
  ++entry.numReaders;
  if (entry.readers.size() < kMaxListed)
    entry.readers.push_back(std::move(label));
}

void ImportErrors::add(Diagnostic &diagnostic) {
  if (++numRefused > kMaxListed)
    return;
  auto &messages = refused.emplace_back();
  messages.push_back({diagnostic.getLocation(), diagnostic.str()});
  for (Diagnostic &note : diagnostic.getNotes())
    messages.push_back({note.getLocation(), note.str()});
}

/// What comes closest to an operator that is not supported, or nothing.
static std::string nearest(const Node &node, int64_t opset) {
  const auto &table = HandlerTable::get().getEntries();
  auto sameName = table.find(operatorName(node));
  if (sameName != table.end())
    return "; it is supported from opset " +
           std::to_string(sameName->second.versions.begin()->first) +
           " on, the node has opset " + std::to_string(opset);
  if (!node.domain.empty() && table.count(node.op))
    return "; the operator " + node.op + " of ONNX itself is supported";
  unsigned limit = node.op.size() < 6 ? 1 : 2;
  for (const auto &[name, entry] : table)
    if (StringRef(node.op).edit_distance(name, true, limit) <= limit)
      return "; " + name + " is supported";
  return "";
}

LogicalResult ImportErrors::report(Location fileLoc) const {
  if (operators.empty() && numRefused == 1) {
    InFlightDiagnostic diagnostic = emitError(refused[0][0].loc);
    diagnostic << refused[0][0].text;
    for (const Message &note : llvm::drop_begin(refused[0]))
      diagnostic.attachNote(note.loc) << note.text;
    return diagnostic;
  }
  InFlightDiagnostic diagnostic = emitError(fileLoc);
  if (!operators.empty())
    diagnostic << "operators without support: "
               << llvm::join(llvm::make_first_range(operators), ", ")
               << (numRefused > 0 ? ", and " : "");
  if (numRefused > 0)
    diagnostic << numRefused << (numRefused == 1 ? " node" : " nodes")
               << " in a form without support";
  diagnostic << "; docs/SupportedOps.md lists what is supported";
  for (auto &[name, entry] : operators) {
    Diagnostic &note = diagnostic.attachNote(fileLoc);
    note << name << " (opset " << entry.opset << ") is needed by ";
    for (auto [index, reader] : llvm::enumerate(entry.readers))
      note << (index ? ", '" : "'") << reader << "'";
    if (entry.numReaders > entry.readers.size())
      note << " and " << entry.numReaders - entry.readers.size() << " more";
    note << nearest(*entry.node, entry.opset);
  }
  for (const auto &messages : refused)
    for (const Message &message : messages)
      diagnostic.attachNote(message.loc) << message.text;
  if (numRefused > refused.size())
    diagnostic.attachNote(fileLoc)
        << "and " << numRefused - refused.size() << " more nodes";
  return diagnostic;
}

} // namespace cim::onnx
