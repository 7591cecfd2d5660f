// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Mutations by protobuf's reflection, so that every field of every message is
// reached without being named.
#define ONNX_ML 1
#define ONNX_NAMESPACE onnx
#include "ModelMutator.h"
#include "onnx/onnx_pb.h"
#include <random>

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace cim::fuzz {

struct ModelMutator::Models {
  std::vector<onnx::ModelProto> all;
};

namespace {

/// Larger models only take time.
constexpr size_t kMaxBytes = 1 << 17;

class Mutation {
public:
  Mutation(onnx::ModelProto &model, const std::vector<onnx::ModelProto> &donors,
           uint64_t seed)
      : model(model), donors(donors), random(seed) {}

  void run() {
    std::vector<Message *> messages;
    collect(model, messages);
    Message &message = *messages[below(messages.size())];
    switch (below(8)) {
    case 0:
    case 1:
    case 2:
      return setField(message);
    case 3:
      return remove(message);
    case 4:
      return duplicate(message);
    case 5:
      return swap(message);
    case 6:
      return transplant(message);
    case 7:
      return nest(messages);
    }
  }

  size_t below(size_t bound) { return bound ? random() % bound : 0; }

private:
  static void collect(Message &message, std::vector<Message *> &messages) {
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
        collect(*reflection.MutableRepeatedMessage(&message, field, i),
                messages);
    }
  }

  /// A field, most often one that is set.
  const FieldDescriptor *pick(const Message &message) {
    std::vector<const FieldDescriptor *> fields;
    message.GetReflection()->ListFields(message, &fields);
    const Descriptor &type = *message.GetDescriptor();
    if (fields.empty() || below(4) == 0)
      return type.field_count() ? type.field(below(type.field_count()))
                                : nullptr;
    return fields[below(fields.size())];
  }

  int64_t integer() {
    static constexpr int64_t extremes[] = {
        0,   1,         -1,        2,         3,         7,       13, 16,
        22,  INT64_MAX, INT64_MIN, INT32_MAX, INT32_MIN, -2,      64, 65,
        255, 1 << 20,   1ll << 32, 1ll << 40, 1ll << 62, 1000000, 25, 26};
    return extremes[below(std::size(extremes))];
  }

  double real() {
    static const double extremes[] = {0,    -0.0,  1,     -1,       0.5,
                                      1e38, -1e38, 1e-40, INFINITY, NAN};
    return extremes[below(std::size(extremes))];
  }

  /// A string of the model, or a damaged one.
  std::string text(const std::string &old) {
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
    std::vector<Message *> messages;
    collect(model, messages);
    for (int tries = 0; tries < 8; ++tries) {
      Message &other = *messages[below(messages.size())];
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

  void setField(Message &message) {
    const FieldDescriptor *field = pick(message);
    if (!field || field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
      return;
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
  break
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
      break;
    }
#undef CIM_SET
  }

  void remove(Message &message) {
    const FieldDescriptor *field = pick(message);
    if (!field)
      return;
    const Reflection &r = *message.GetReflection();
    if (field->is_repeated() && below(4) != 0) {
      if (r.FieldSize(message, field) > 0)
        r.RemoveLast(&message, field);
    } else {
      r.ClearField(&message, field);
    }
  }

  /// One of the message's lists that holds messages, or null.
  const FieldDescriptor *pickList(const Message &message) {
    const FieldDescriptor *field = pick(message);
    bool isList = field && field->is_repeated() &&
                  field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                  message.GetReflection()->FieldSize(message, field) > 0;
    return isList ? field : nullptr;
  }

  void duplicate(Message &message) {
    const FieldDescriptor *list = pickList(message);
    if (!list)
      return;
    const Reflection &r = *message.GetReflection();
    int index = int(below(r.FieldSize(message, list)));
    std::unique_ptr<Message> copy(
        r.GetRepeatedMessage(message, list, index).New());
    copy->CopyFrom(r.GetRepeatedMessage(message, list, index));
    r.AddMessage(&message, list)->CopyFrom(*copy);
  }

  void swap(Message &message) {
    const FieldDescriptor *list = pickList(message);
    if (!list)
      return;
    const Reflection &r = *message.GetReflection();
    int size = r.FieldSize(message, list);
    r.SwapElements(&message, list, int(below(size)), int(below(size)));
  }

  /// Puts a part of another model of the same type in the place of `message`.
  void transplant(Message &message) {
    onnx::ModelProto donor = donors[below(donors.size())];
    std::vector<Message *> parts, same;
    collect(donor, parts);
    for (Message *part : parts)
      if (part->GetDescriptor() == message.GetDescriptor())
        same.push_back(part);
    if (!same.empty() && &message != &model)
      message.CopyFrom(*same[below(same.size())]);
  }

  /// The graph as an attribute of one of its own nodes.
  void nest(const std::vector<Message *> &messages) {
    auto *node =
        dynamic_cast<onnx::NodeProto *>(messages[below(messages.size())]);
    if (!node)
      return;
    onnx::GraphProto copy = model.graph();
    onnx::AttributeProto &attribute = *node->add_attribute();
    attribute.set_name(below(2) ? "body" : "then_branch");
    attribute.set_type(onnx::AttributeProto::GRAPH);
    *attribute.mutable_g() = std::move(copy);
    static const char *const kinds[] = {"If", "Loop", "Scan"};
    if (below(2))
      node->set_op_type(kinds[below(3)]);
  }

  onnx::ModelProto &model;
  const std::vector<onnx::ModelProto> &donors;
  std::mt19937_64 random;
};

} // namespace

ModelMutator::ModelMutator() : models(std::make_unique<Models>()) {}
ModelMutator::~ModelMutator() = default;

bool ModelMutator::add(const std::string &bytes) {
  onnx::ModelProto model;
  if (bytes.size() > kMaxBytes || !model.ParseFromString(bytes))
    return false;
  models->all.push_back(std::move(model));
  return true;
}

size_t ModelMutator::size() const { return models->all.size(); }

std::string ModelMutator::mutate(uint64_t seed) const {
  std::mt19937_64 random(seed);
  onnx::ModelProto model = models->all[random() % models->all.size()];
  for (uint64_t count = 1 + random() % 8; count > 0; --count) {
    Mutation(model, models->all, random()).run();
    if (model.ByteSizeLong() > kMaxBytes)
      break;
  }
  return model.SerializeAsString();
}

} // namespace cim::fuzz
