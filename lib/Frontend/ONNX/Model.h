// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A parsed ONNX model as plain structs: only ModelReader.cpp sees protobuf.
#ifndef CIM_LIB_FRONTEND_ONNX_MODEL_H
#define CIM_LIB_FRONTEND_ONNX_MODEL_H

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cim::onnx {

/// TensorProto.DataType of the ONNX specification, same numbers.
enum class DataType : int32_t {
  Undefined = 0,
  Float = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  UInt32 = 12,
  UInt64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BFloat16 = 16,
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  UInt4 = 21,
  Int4 = 22,
  Float4E2M1 = 23,
  Float8E8M0 = 24,
  UInt2 = 25,
  Int2 = 26,
};

/// Bytes of one element in `Tensor::bytes`, 0 for types without support.
unsigned elementBytes(DataType type);
/// Name as ONNX documents write it: "float", "int64".
std::string typeName(DataType type);

/// A constant. `bytes` holds the elements in row-major order, little endian;
/// integers of two and four bits take one byte each. Types without support
/// leave it empty, and are refused where the tensor is read.
struct Tensor {
  std::string name;
  DataType type = DataType::Undefined;
  std::vector<int64_t> dims;
  std::string bytes;

  int64_t numElements() const {
    int64_t count = 1;
    for (int64_t dim : dims)
      count *= dim;
    return count;
  }
};

/// Constants are shared between the values that alias them, never changed.
using HostTensor = std::shared_ptr<const Tensor>;

/// AttributeProto.AttributeType, as far as it matters here.
enum class AttributeKind {
  Int,
  Float,
  String,
  Tensor,
  Ints,
  Floats,
  Strings,
  SparseTensor, ///< in `Attribute::tensor`, dense
  Graph,
  Other,
};

struct Graph;

struct Attribute {
  std::string name;
  AttributeKind kind = AttributeKind::Other;
  int64_t i = 0;
  float f = 0;
  std::string s;
  HostTensor tensor;
  std::vector<int64_t> ints;
  std::vector<float> floats;
  std::vector<std::string> strings;
  std::shared_ptr<const Graph> graph;
  /// The attribute of the enclosing function that gives the value, or empty.
  std::string reference;
};

struct Node {
  std::string name;
  std::string op;
  std::string domain;
  std::string overload;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<Attribute> attributes;
  /// Values that its subgraphs read from the graphs around them.
  std::vector<std::string> captures;

  /// How messages and locations call the node: its name, or its first output.
  const std::string &label() const {
    return name.empty() && !outputs.empty() ? outputs.front() : name;
  }
};

/// A dimension of a graph input: a number, or a symbol (maybe empty).
struct Dim {
  int64_t value = -1;
  std::string symbol;
  bool isStatic = false;
};

/// A graph input or output.
struct ValueInfo {
  std::string name;
  DataType type = DataType::Undefined;
  bool isTensor = true;
  bool hasShape = false;
  std::vector<Dim> dims;
};

/// The network, or a subgraph: a branch of If, the body of Loop or Scan.
struct Graph {
  std::vector<Node> nodes;
  std::vector<HostTensor> initializers;
  std::vector<ValueInfo> inputs; ///< without those that are initializers
  std::vector<ValueInfo> outputs;
};

/// Versions of operator sets by domain; "" is the default one.
using Opsets = std::map<std::string, int64_t>;

/// A model-local function, the body of an operator of its own.
struct Function {
  std::string name;
  Opsets opsets;
  Graph body;                          ///< inputs and outputs have names only
  std::vector<std::string> attributes; ///< those without a default
  std::vector<Attribute> defaults;
};

/// How messages and tables call an operator: "Conv", "com.example.Conv", with
/// ":overload" when it has one.
inline std::string operatorName(const std::string &domain,
                                const std::string &name,
                                const std::string &overload = "") {
  return (domain.empty() ? "" : domain + ".") + name +
         (overload.empty() ? "" : ":" + overload);
}
inline std::string operatorName(const Node &node) {
  return operatorName(node.domain, node.op, node.overload);
}

struct Model {
  Opsets opsets;
  Graph graph;
  std::map<std::string, Function> functions; ///< by operatorName
  /// What the file says about itself, without effect.
  std::map<std::string, std::string> metadata;
};

/// Parses `data`, the content of a .onnx file in `folder` (where external
/// tensor data is looked up). Returns false and says why in `error`.
bool readModel(const char *data, size_t size, const std::string &folder,
               Model &model, std::string &error);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_MODEL_H
