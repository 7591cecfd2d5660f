// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The protobuf side of the importer: bytes of a .onnx file to plain structs.
#define ONNX_ML 1
#define ONNX_NAMESPACE onnx
#include "TensorReader.h"

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/stubs/logging.h"
#include "google/protobuf/unknown_field_set.h"
#include <algorithm>
#include <climits>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace cim::onnx {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;
using ::onnx::AttributeProto;
using ::onnx::FunctionProto;
using ::onnx::GraphProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;
using ::onnx::SparseTensorProto;
using ::onnx::TensorProto;
using ::onnx::ValueInfoProto;

/// Nested messages deeper than this are not a network.
constexpr int kRecursionLimit = 100;

/// Fields that ONNX has got since the version of the packaged library.
constexpr int kNodeOverload = 8;
constexpr int kFunctionOverload = 13;
constexpr int kFunctionAttributeProto = 11;

/// The values of a field of bytes that the packaged library does not know.
std::vector<std::string_view> unknownBytes(const UnknownFieldSet &fields,
                                           int number) {
  std::vector<std::string_view> values;
  for (int i = 0; i < fields.field_count(); ++i)
    if (const UnknownField &field = fields.field(i);
        field.number() == number &&
        field.type() == UnknownField::TYPE_LENGTH_DELIMITED)
      values.push_back(field.length_delimited());
  return values;
}

std::string unknownString(const UnknownFieldSet &fields, int number) {
  std::vector<std::string_view> values = unknownBytes(fields, number);
  return values.empty() ? "" : std::string(values.back());
}

/// True when all of `data` is a message of the type.
bool parse(google::protobuf::Message &message, const char *data, size_t size) {
  google::protobuf::io::CodedInputStream stream(
      reinterpret_cast<const uint8_t *>(data), static_cast<int>(size));
  stream.SetRecursionLimit(kRecursionLimit);
  return message.ParseFromCodedStream(&stream) &&
         stream.ConsumedEntireMessage();
}

std::string domainOf(const std::string &domain) {
  return domain == "ai.onnx" ? "" : domain;
}

template <typename Protos> Opsets readOpsets(const Protos &protos) {
  Opsets opsets;
  for (const auto &opset : protos)
    opsets[domainOf(opset.domain())] = opset.version();
  return opsets;
}

AttributeKind kindOf(const AttributeProto &proto) {
  switch (proto.type()) {
  case AttributeProto::INT:
    return AttributeKind::Int;
  case AttributeProto::FLOAT:
    return AttributeKind::Float;
  case AttributeProto::STRING:
    return AttributeKind::String;
  case AttributeProto::TENSOR:
    return AttributeKind::Tensor;
  case AttributeProto::INTS:
    return AttributeKind::Ints;
  case AttributeProto::FLOATS:
    return AttributeKind::Floats;
  case AttributeProto::STRINGS:
    return AttributeKind::Strings;
  case AttributeProto::SPARSE_TENSOR:
    return AttributeKind::SparseTensor;
  case AttributeProto::GRAPH:
    return AttributeKind::Graph;
  case AttributeProto::UNDEFINED:
    break;
  default:
    return AttributeKind::Other;
  }
  // Files of IR version 1 leave the kind out.
  if (proto.has_i())
    return AttributeKind::Int;
  if (proto.has_f())
    return AttributeKind::Float;
  if (proto.has_s())
    return AttributeKind::String;
  if (proto.has_t())
    return AttributeKind::Tensor;
  if (proto.has_g())
    return AttributeKind::Graph;
  if (proto.floats_size() > 0)
    return AttributeKind::Floats;
  return AttributeKind::Ints;
}

/// Appends the names that `graph` reads but does not define.
void addCaptures(const Graph &graph, std::vector<std::string> &captures) {
  std::unordered_set<std::string_view> defined{""};
  for (const HostTensor &tensor : graph.initializers)
    defined.insert(tensor->name);
  for (const ValueInfo &input : graph.inputs)
    defined.insert(input.name);
  for (const Node &node : graph.nodes)
    defined.insert(node.outputs.begin(), node.outputs.end());
  auto read = [&](const std::string &name) {
    if (defined.insert(name).second)
      captures.push_back(name);
  };
  for (const Node &node : graph.nodes) {
    std::for_each(node.inputs.begin(), node.inputs.end(), read);
    std::for_each(node.captures.begin(), node.captures.end(), read);
  }
  for (const ValueInfo &output : graph.outputs)
    read(output.name);
}

ValueInfo readValueInfo(const ValueInfoProto &proto) {
  ValueInfo info;
  info.name = proto.name();
  info.isTensor = !proto.has_type() || proto.type().has_tensor_type();
  if (!proto.type().has_tensor_type())
    return info;
  const auto &tensor = proto.type().tensor_type();
  info.type = static_cast<DataType>(tensor.elem_type());
  info.hasShape = tensor.has_shape();
  for (const auto &dim : tensor.shape().dim()) {
    Dim &result = info.dims.emplace_back();
    result.isStatic = dim.has_dim_value();
    result.value = dim.dim_value();
    result.symbol = dim.dim_param();
  }
  return info;
}

/// Inputs without a shape may have one among the values within the graph.
void completeInputs(const GraphProto &proto, Graph &graph) {
  std::unordered_map<std::string_view, ValueInfo *> open;
  for (ValueInfo &input : graph.inputs)
    if (!input.hasShape)
      open[input.name] = &input;
  if (open.empty())
    return;
  for (const ValueInfoProto &value : proto.value_info())
    if (auto input = open.find(value.name()); input != open.end())
      *input->second = readValueInfo(value);
}

/// Entries of metadata beyond these sizes are of no use to a reader.
constexpr size_t kMaxMetadata = 64;
constexpr size_t kMaxMetadataText = 4096;

void readMetadata(const ModelProto &proto, Model &model) {
  auto add = [&](const std::string &key, const std::string &value) {
    if (!key.empty() && !value.empty() && key.size() <= kMaxMetadataText &&
        value.size() <= kMaxMetadataText &&
        model.metadata.size() < kMaxMetadata)
      model.metadata.emplace(key, value);
  };
  add("graph_name", proto.graph().name());
  add("doc_string", proto.doc_string());
  add("domain", proto.domain());
  if (proto.model_version() != 0)
    add("model_version", std::to_string(proto.model_version()));
  add("producer_name", proto.producer_name());
  add("producer_version", proto.producer_version());
  for (const auto &entry : proto.metadata_props())
    add(entry.key(), entry.value());
}

/// Reads the messages of one file. Members return false and say why in
/// `error`.
class Reader {
public:
  Reader(const std::string &folder, size_t fileSize, std::string &error)
      : tensors(folder, fileSize), error(error) {}

  bool readGraph(GraphProto &proto, Graph &graph);
  bool readFunction(FunctionProto &proto, Model &model);

private:
  bool readNode(NodeProto &proto, Node &node);
  bool readAttribute(AttributeProto &proto, Attribute &attribute);
  template <typename Proto> bool readTensor(Proto &proto, HostTensor &tensor);

  TensorReader tensors;
  std::string &error;
  bool isInFunction = false;
};

/// Of a TensorProto or a SparseTensorProto.
template <typename Proto>
bool Reader::readTensor(Proto &proto, HostTensor &tensor) {
  auto result = std::make_shared<Tensor>();
  if (!tensors.read(proto, *result, error))
    return false;
  tensor = std::move(result);
  return true;
}

bool Reader::readAttribute(AttributeProto &proto, Attribute &attribute) {
  attribute.name = proto.name();
  attribute.kind = kindOf(proto);
  attribute.reference = proto.ref_attr_name();
  if (!attribute.reference.empty()) {
    error = "attribute '" + attribute.name + "' refers to attribute '" +
            attribute.reference + "' of a function, but is in none";
    return isInFunction;
  }
  attribute.i = proto.i();
  attribute.f = proto.f();
  attribute.s = proto.s();
  attribute.ints.assign(proto.ints().begin(), proto.ints().end());
  attribute.floats.assign(proto.floats().begin(), proto.floats().end());
  attribute.strings.assign(proto.strings().begin(), proto.strings().end());
  if (attribute.kind == AttributeKind::Tensor)
    return readTensor(*proto.mutable_t(), attribute.tensor);
  if (attribute.kind == AttributeKind::SparseTensor)
    return readTensor(*proto.mutable_sparse_tensor(), attribute.tensor);
  if (attribute.kind != AttributeKind::Graph)
    return true;
  auto graph = std::make_shared<Graph>();
  attribute.graph = graph;
  return readGraph(*proto.mutable_g(), *graph);
}

bool Reader::readNode(NodeProto &proto, Node &node) {
  node.name = proto.name();
  node.op = proto.op_type();
  node.domain = domainOf(proto.domain());
  node.overload = unknownString(proto.unknown_fields(), kNodeOverload);
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  for (AttributeProto &attribute : *proto.mutable_attribute()) {
    if (!readAttribute(attribute, node.attributes.emplace_back())) {
      error = "node '" + node.label() + "': " + error;
      return false;
    }
    if (const Graph *graph = node.attributes.back().graph.get())
      addCaptures(*graph, node.captures);
  }
  return true;
}

bool Reader::readGraph(GraphProto &proto, Graph &graph) {
  for (NodeProto &node : *proto.mutable_node())
    if (!readNode(node, graph.nodes.emplace_back()))
      return false;
  for (TensorProto &tensor : *proto.mutable_initializer())
    if (!readTensor(tensor, graph.initializers.emplace_back()))
      return false;
  for (SparseTensorProto &tensor : *proto.mutable_sparse_initializer())
    if (!readTensor(tensor, graph.initializers.emplace_back()))
      return false;
  // Files of IR version 3 list initializers among the inputs too.
  std::unordered_set<std::string_view> initializers;
  for (const HostTensor &tensor : graph.initializers)
    initializers.insert(tensor->name);
  for (const ValueInfoProto &input : proto.input())
    if (!initializers.count(input.name()))
      graph.inputs.push_back(readValueInfo(input));
  completeInputs(proto, graph);
  for (const ValueInfoProto &output : proto.output())
    graph.outputs.push_back(readValueInfo(output));
  return true;
}

bool Reader::readFunction(FunctionProto &proto, Model &model) {
  const UnknownFieldSet &unknown = proto.unknown_fields();
  std::string name = operatorName(domainOf(proto.domain()), proto.name(),
                                  unknownString(unknown, kFunctionOverload));
  auto [entry, isNew] = model.functions.try_emplace(name);
  if (!isNew) {
    error = "function '" + name + "' is defined twice";
    return false;
  }
  Function &function = entry->second;
  function.name = name;
  function.opsets = readOpsets(proto.opset_import());
  function.attributes.assign(proto.attribute().begin(),
                             proto.attribute().end());
  for (std::string_view bytes :
       unknownBytes(unknown, kFunctionAttributeProto)) {
    AttributeProto attribute;
    if (!parse(attribute, bytes.data(), bytes.size())) {
      error = "function '" + name + "': a default attribute does not parse";
      return false;
    }
    if (!readAttribute(attribute, function.defaults.emplace_back()))
      return false;
  }
  for (const std::string &input : proto.input())
    function.body.inputs.emplace_back().name = input;
  for (const std::string &output : proto.output())
    function.body.outputs.emplace_back().name = output;
  isInFunction = true;
  for (NodeProto &node : *proto.mutable_node())
    if (!readNode(node, function.body.nodes.emplace_back())) {
      error = "function '" + name + "': " + error;
      return false;
    }
  isInFunction = false;
  return true;
}

} // namespace

static bool readUnguarded(const char *data, size_t size,
                          const std::string &folder, Model &model,
                          std::string &error) {
  if (size == 0) {
    error = "the file is empty, expected an ONNX model";
    return false;
  }
  if (size >= static_cast<size_t>(INT_MAX)) {
    error = "the file has " + std::to_string(size) +
            " bytes, expected less than 2 GiB; store the weights as external "
            "data";
    return false;
  }
  google::protobuf::LogSilencer silencer;
  ModelProto proto;
  if (!parse(proto, data, size)) {
    error = "the file is damaged or not an ONNX model: its protobuf message "
            "does not parse";
    return false;
  }
  if (!proto.has_graph() || proto.opset_import_size() == 0) {
    error = proto.has_graph()
                ? "the model imports no operator set"
                : "the file is not an ONNX model: it has no graph";
    return false;
  }
  model.opsets = readOpsets(proto.opset_import());
  readMetadata(proto, model);
  Reader reader(folder, size, error);
  for (FunctionProto &function : *proto.mutable_functions())
    if (!reader.readFunction(function, model))
      return false;
  return reader.readGraph(*proto.mutable_graph(), model.graph);
}

bool readModel(const char *data, size_t size, const std::string &folder,
               Model &model, std::string &error) try {
  return readUnguarded(data, size, folder, model, error);
} catch (const std::bad_alloc &) {
  error = "the model does not fit into memory";
  return false;
}

} // namespace cim::onnx
