// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// YAML text to a tree with places; everything the schema does not need
// (aliases, tags, several documents) is rejected here.

#include "YAMLTree.h"
#include "cim/Arch/Arch.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLParser.h"

using namespace cim;
using llvm::StringRef;
using llvm::Twine;

static constexpr size_t kMaxBytes = 1 << 20;
static constexpr unsigned kMaxDepth = 16;

llvm::Error cim::makeTargetError(llvm::MemoryBufferRef buffer,
                                 const char *where, const Twine &message) {
  StringRef text = buffer.getBuffer();
  // LLVM's parser may point past the end when the text stops too early.
  size_t offset = where < text.begin()
                      ? 0
                      : std::min<size_t>(where - text.begin(), text.size());
  StringRef before = text.take_front(offset);
  size_t lineStart = before.rfind('\n') + 1;
  StringRef line = text.drop_front(lineStart).take_until(
      [](char c) { return c == '\n' || c == '\r'; });
  return llvm::make_error<TargetError>(
      message.str(), buffer.getBufferIdentifier().str(),
      unsigned(before.count('\n') + 1), unsigned(offset - lineStart + 1),
      line.str());
}

namespace {

class TreeBuilder {
public:
  explicit TreeBuilder(llvm::MemoryBufferRef buffer) : buffer(buffer) {
    sources.setDiagHandler(
        [](const llvm::SMDiagnostic &diagnostic, void *self) {
          static_cast<TreeBuilder *>(self)->onSyntaxError(diagnostic);
        },
        this);
  }

  llvm::Expected<YAMLNode> build();

private:
  void onSyntaxError(const llvm::SMDiagnostic &diagnostic) {
    StringRef message = diagnostic.getMessage().rtrim(".!");
    if (message.starts_with("Unexpected token. Expected Key or Block End"))
      message = "expected 'key: value', indented like the lines around it";
    fail(diagnostic.getLoc().getPointer(),
         "invalid YAML: " + message.take_front().lower() +
             message.drop_front());
  }

  /// Keeps the first error: what follows is mostly its consequence.
  bool fail(const char *where, const Twine &message) {
    if (!error)
      error = {where, message.str()};
    return false;
  }

  const char *placeOf(const llvm::yaml::Node &node, const char *owner) const;
  bool convert(llvm::yaml::Node *node, const char *fallback, unsigned depth,
               YAMLNode &result);
  bool convertMap(llvm::yaml::MappingNode &map, unsigned depth,
                  YAMLNode &result);
  bool convertList(llvm::yaml::SequenceNode &list, unsigned depth,
                   YAMLNode &result);

  struct Failure {
    const char *where;
    std::string message;
  };

  llvm::MemoryBufferRef buffer;
  llvm::SourceMgr sources;
  std::optional<Failure> error;
};

} // namespace

/// Where a reader would look for `node`: a value at its first character, a
/// block of lines at the key above it, which is `owner`.
const char *TreeBuilder::placeOf(const llvm::yaml::Node &node,
                                 const char *owner) const {
  const char *start = node.getSourceRange().Start.getPointer();
  if (!start || llvm::isa<llvm::yaml::NullNode>(node))
    return owner;
  if (!llvm::isa<llvm::yaml::MappingNode, llvm::yaml::SequenceNode>(node))
    return start;
  // Flow collections are said to begin after their bracket.
  StringRef before(buffer.getBufferStart(), start - buffer.getBufferStart());
  before = before.rtrim(" \r\n");
  if (before.ends_with("{") || before.ends_with("["))
    return before.end() - 1;
  return owner;
}

bool TreeBuilder::convert(llvm::yaml::Node *node, const char *fallback,
                          unsigned depth, YAMLNode &result) {
  result.where = fallback;
  if (!node)
    return fail(fallback, "invalid YAML");
  result.where = placeOf(*node, fallback);
  if (depth > kMaxDepth)
    return fail(result.where,
                "nested more than " + Twine(kMaxDepth) + " levels deep");
  constexpr llvm::StringLiteral noAlias =
      "anchors and aliases are not supported: write the value out";
  if (auto *alias = llvm::dyn_cast<llvm::yaml::AliasNode>(node))
    return fail(alias->getName().data() - 1, noAlias);
  if (!node->getAnchor().empty())
    return fail(node->getAnchor().data() - 1, noAlias);
  if (!node->getRawTag().empty())
    return fail(node->getRawTag().data(),
                "tags are not supported, found '" + node->getRawTag() + "'");

  if (auto *map = llvm::dyn_cast<llvm::yaml::MappingNode>(node))
    return convertMap(*map, depth, result);
  if (auto *list = llvm::dyn_cast<llvm::yaml::SequenceNode>(node))
    return convertList(*list, depth, result);
  if (auto *scalar = llvm::dyn_cast<llvm::yaml::ScalarNode>(node)) {
    llvm::SmallString<64> storage;
    result.kind = YAMLNode::Kind::Scalar;
    result.text = scalar->getValue(storage).str();
  } else if (auto *block = llvm::dyn_cast<llvm::yaml::BlockScalarNode>(node)) {
    result.kind = YAMLNode::Kind::Scalar;
    result.text = block->getValue().str();
  }
  return !error;
}

bool TreeBuilder::convertMap(llvm::yaml::MappingNode &map, unsigned depth,
                             YAMLNode &result) {
  result.kind = YAMLNode::Kind::Map;
  const char *last = result.where;
  for (llvm::yaml::KeyValueNode &entry : map) {
    YAMLEntry converted;
    if (!convert(entry.getKey(), last, depth + 1, converted.key))
      return false;
    last = converted.key.where;
    if (!converted.key.isScalar())
      return fail(last, "expected 'key: value'");
    for (const YAMLEntry &other : result.entries)
      if (other.key.text == converted.key.text)
        return fail(last, "key '" + converted.key.text + "' appears twice");
    if (!convert(entry.getValue(), last, depth + 1, converted.value))
      return false;
    result.entries.push_back(std::move(converted));
  }
  return !error;
}

bool TreeBuilder::convertList(llvm::yaml::SequenceNode &list, unsigned depth,
                              YAMLNode &result) {
  result.kind = YAMLNode::Kind::List;
  for (llvm::yaml::Node &item : list) {
    const char *start = item.getSourceRange().Start.getPointer();
    result.items.emplace_back();
    if (!convert(&item, start ? start : result.where, depth + 1,
                 result.items.back()))
      return false;
  }
  return !error;
}

llvm::Expected<YAMLNode> TreeBuilder::build() {
  YAMLNode root;
  llvm::yaml::Stream stream(buffer, sources, /*ShowColors=*/false);
  const char *start = buffer.getBufferStart();
  auto document = stream.begin();
  if (document != stream.end()) {
    bool ok = convert(document->getRoot(), start, 0, root);
    // Advancing skips what is left of the document, which is deep only if
    // `convert` stopped early.
    if (ok && ++document != stream.end() && !error) {
      llvm::yaml::Node *second = document->getRoot();
      const char *where =
          second ? second->getSourceRange().Start.getPointer() : nullptr;
      fail(where ? where : start, "expected one document, found several");
    }
  }
  if (stream.failed() && !error)
    fail(start, "invalid YAML");
  if (error)
    return makeTargetError(buffer, error->where, error->message);
  return root;
}

/// What LLVM's parser accepts silently or answers poorly.
static llvm::Error checkText(llvm::MemoryBufferRef buffer) {
  StringRef text = buffer.getBuffer();
  if (text.size() > kMaxBytes)
    return makeTargetError(
        buffer, text.begin(),
        "file is too large for a target description: " + Twine(text.size()) +
            " bytes, at most " + Twine(kMaxBytes));
  if (text.trim().empty())
    return makeTargetError(buffer, text.begin(), "file is empty");
  const auto *bytes = reinterpret_cast<const llvm::UTF8 *>(text.begin());
  const auto *end = reinterpret_cast<const llvm::UTF8 *>(text.end());
  if (!llvm::isLegalUTF8String(&bytes, end))
    return makeTargetError(buffer, reinterpret_cast<const char *>(bytes),
                           "not a text file: invalid UTF-8");
  bool indenting = true;
  for (const char &c : text) {
    if (c == '\t' && indenting)
      return makeTargetError(buffer, &c, "tab in the indentation: use spaces");
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' &&
        c != '\t')
      return makeTargetError(buffer, &c, "not a text file: control character");
    indenting = c == '\n' || (indenting && c == ' ');
  }
  return llvm::Error::success();
}

llvm::Expected<YAMLNode> cim::readYAML(llvm::MemoryBufferRef buffer) {
  if (llvm::Error error = checkText(buffer))
    return error;
  return TreeBuilder(buffer).build();
}
