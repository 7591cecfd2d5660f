// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Damage by protobuf's reflection, so that every field of every message is
// reached without being named.
#include "ModelMutation.h"
#include <cmath>

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;

namespace cim::fuzz {

void Mutation::collect(Message &message, std::vector<Message *> &messages) {
  messages.push_back(&message);
  const Reflection &reflection = *message.GetReflection();
  std::vector<const FieldDescriptor *> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor *field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE)
      continue;
    if (!field->is_repeated()) {
      collect(*reflection.MutableMessage(&message, field), messages);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i)
      collect(*reflection.MutableRepeatedMessage(&message, field, i), messages);
  }
}

/// A field, most often one that is set.
const FieldDescriptor *Mutation::pick(const Message &message) {
  std::vector<const FieldDescriptor *> fields;
  message.GetReflection()->ListFields(message, &fields);
  const Descriptor &type = *message.GetDescriptor();
  if (fields.empty() || below(4) == 0)
    return type.field_count() ? type.field(below(type.field_count())) : nullptr;
  return fields[below(fields.size())];
}

/// One of the message's lists that holds messages, or null.
const FieldDescriptor *Mutation::pickList(const Message &message) {
  const FieldDescriptor *field = pick(message);
  bool isList = field && field->is_repeated() &&
                field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                message.GetReflection()->FieldSize(message, field) > 0;
  return isList ? field : nullptr;
}

int64_t Mutation::integer() {
  static constexpr int64_t extremes[] = {
      0,   1,         -1,        2,         3,         7,       13, 16,
      22,  INT64_MAX, INT64_MIN, INT32_MAX, INT32_MIN, -2,      64, 65,
      255, 1 << 20,   1ll << 32, 1ll << 40, 1ll << 62, 1000000, 25, 26};
  return extremes[below(std::size(extremes))];
}

double Mutation::real() {
  static const double extremes[] = {0,    -0.0,  1,     -1,       0.5,
                                    1e38, -1e38, 1e-40, INFINITY, NAN};
  return extremes[below(std::size(extremes))];
}

/// A string of the model, or a damaged one.
std::string Mutation::text(const std::string &old) {
  switch (below(6)) {
  case 0:
    return "";
  case 1:
    return old.substr(0, below(old.size() + 1));
  case 2:
    return old + std::string(1 + below(40), char(below(256)));
  default:
    break;
  }
  for (int tries = 0; tries < 8; ++tries) {
    Message &other = any();
    const FieldDescriptor *field = pick(other);
    if (!field || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING)
      continue;
    const Reflection &reflection = *other.GetReflection();
    if (!field->is_repeated())
      return reflection.GetString(other, field);
    if (int size = reflection.FieldSize(other, field))
      return reflection.GetRepeatedString(other, field, int(below(size)));
  }
  // Another operator on the same operands.
  const auto &nodes = donors[below(donors.size())].graph().node();
  return nodes.empty() ? old : nodes[int(below(nodes.size()))].op_type();
}

bool Mutation::setField() {
  Message &message = any();
  const FieldDescriptor *field = pick(message);
  if (!field || field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
    return false;
  const Reflection &r = *message.GetReflection();
  int size = field->is_repeated() ? r.FieldSize(message, field) : 0;
  bool append = field->is_repeated() && (size == 0 || below(3) == 0);
  int index = int(below(size));
#define CIM_SET(TYPE, VALUE)                                                   \
  if (append)                                                                  \
    r.Add##TYPE(&message, field, VALUE);                                       \
  else if (field->is_repeated())                                               \
    r.SetRepeated##TYPE(&message, field, index, VALUE);                        \
  else                                                                         \
    r.Set##TYPE(&message, field, VALUE);                                       \
  return true
  switch (field->cpp_type()) {
  case FieldDescriptor::CPPTYPE_INT32:
    CIM_SET(Int32, int32_t(integer()));
  case FieldDescriptor::CPPTYPE_INT64:
    CIM_SET(Int64, integer());
  case FieldDescriptor::CPPTYPE_UINT64:
    CIM_SET(UInt64, uint64_t(integer()));
  case FieldDescriptor::CPPTYPE_FLOAT:
    CIM_SET(Float, float(real()));
  case FieldDescriptor::CPPTYPE_DOUBLE:
    CIM_SET(Double, real());
  case FieldDescriptor::CPPTYPE_ENUM:
    CIM_SET(EnumValue, int(integer()));
  case FieldDescriptor::CPPTYPE_STRING: {
    std::string old = append ? ""
                      : field->is_repeated()
                          ? r.GetRepeatedString(message, field, index)
                          : r.GetString(message, field);
    CIM_SET(String, text(old));
  }
  default:
    return false;
  }
#undef CIM_SET
}

bool Mutation::removeField() {
  Message &message = any();
  const FieldDescriptor *field = pick(message);
  if (!field)
    return false;
  const Reflection &r = *message.GetReflection();
  if (!field->is_repeated() || below(4) == 0)
    return r.ClearField(&message, field), true;
  if (r.FieldSize(message, field) == 0)
    return false;
  r.RemoveLast(&message, field);
  return true;
}

bool Mutation::copyElement() {
  Message &message = any();
  const FieldDescriptor *list = pickList(message);
  if (!list)
    return false;
  const Reflection &r = *message.GetReflection();
  int index = int(below(r.FieldSize(message, list)));
  std::unique_ptr<Message> copy(
      r.GetRepeatedMessage(message, list, index).New());
  copy->CopyFrom(r.GetRepeatedMessage(message, list, index));
  r.AddMessage(&message, list)->CopyFrom(*copy);
  return true;
}

bool Mutation::swapElements() {
  Message &message = any();
  const FieldDescriptor *list = pickList(message);
  if (!list)
    return false;
  const Reflection &r = *message.GetReflection();
  int size = r.FieldSize(message, list);
  r.SwapElements(&message, list, int(below(size)), int(below(size)));
  return size > 1;
}

/// Puts a part of another model in the place of one of the same type.
bool Mutation::transplant() {
  Message &message = any();
  onnx::ModelProto donor = donors[below(donors.size())];
  std::vector<Message *> parts, same;
  collect(donor, parts);
  for (Message *part : parts)
    if (part->GetDescriptor() == message.GetDescriptor())
      same.push_back(part);
  if (same.empty() || &message == &model)
    return false;
  message.CopyFrom(*same[below(same.size())]);
  return true;
}

} // namespace cim::fuzz
