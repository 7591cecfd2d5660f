// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names to values, domains to versions.
#include "ImportState.h"
#include "HandlerTable.h"
#include "HostTensor.h"

using namespace mlir;

namespace cim::onnx {

ImportedValue *ImportState::find(StringRef name) {
  for (Scope *s = scope; s; s = s->parent)
    if (auto found = s->values.find(name); found != s->values.end())
      return &found->second;
  return nullptr;
}

int64_t ImportState::opset(StringRef domain) const {
  for (const Opsets *opsets : {scope->opsets, &model.opsets})
    if (auto found = opsets->find(domain.str()); found != opsets->end())
      return found->second;
  // A file without the default domain has only custom operators; one that
  // names a domain without its version means the only version there is.
  return domain.empty() ? kNewestOpset : 1;
}

const Attribute *ImportState::resolve(const Attribute &attribute) const {
  if (attribute.reference.empty())
    return &attribute;
  for (const Scope *s = scope; s; s = s->parent)
    if (s->attributes)
      return s->attributes->lookup(attribute.reference);
  return nullptr;
}

void ImportState::remarkNarrowed() {
  if (!std::exchange(saidNarrowed, true))
    emitRemark(fileLoc) << "the file has float16, bfloat16 or double inputs or "
                           "weights; they are imported as float32";
}

HostTensor ImportState::narrowed(HostTensor tensor) {
  if (!isFloat(tensor->type) || tensor->type == DataType::Float)
    return tensor;
  remarkNarrowed();
  return std::make_shared<const Tensor>(withFloat32(*tensor));
}

} // namespace cim::onnx
