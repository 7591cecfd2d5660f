// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See HostMath.h. The only file that sees oneDNN; its exceptions end here.

#include "Session/HostMath.h"
#include "Support/Error.h"

#include <array>
#include <cstring>
#include <dnnl.h>
#include <dnnl.hpp>
#include <map>

using namespace cim::rt;

// Debian's oneDNN is built on GNU OpenMP. clang's omp.h belongs to another
// library, so the two functions needed are declared here.
extern "C" void omp_set_num_threads(int);
extern "C" int omp_get_max_threads(void);

SequentialOpenMP::SequentialOpenMP() : previous(omp_get_max_threads()) {
  omp_set_num_threads(1);
}
SequentialOpenMP::~SequentialOpenMP() { omp_set_num_threads(previous); }

static const dnnl::engine &engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

namespace {
/// Memory that grows.
class Scratch {
public:
  void *get(size_t bytes) {
    if (bytes > size) {
      size = 0;
      memory = {};
      memory = dnnl::memory({{dnnl::memory::dim(bytes)},
                             dnnl::memory::data_type::u8,
                             dnnl::memory::format_tag::a},
                            engine());
      size = bytes;
    }
    return memory.get_data_handle();
  }

private:
  dnnl::memory memory;
  size_t size = 0;
};

/// A tensor as the network has it, and as the primitive wants it.
struct Operand {
  dnnl::memory outer, inner;
  dnnl::reorder bring, takeBack;

  Operand(const dnnl::memory::desc &user, const dnnl::memory::desc &wanted)
      : outer(user, engine(), nullptr), inner(outer) {
    if (user == wanted)
      return;
    inner = dnnl::memory(wanted, engine(), nullptr);
    bring = dnnl::reorder(outer, inner);
    takeBack = dnnl::reorder(inner, outer);
  }

  bool isCopied() const { return outer != inner; }

  void setData(void *data, Scratch &scratch) {
    outer.set_data_handle(data);
    if (isCopied())
      inner.set_data_handle(scratch.get(inner.get_desc().get_size()));
  }
};

struct Conv {
  Operand input, filter, output;
  dnnl::convolution_forward primitive;
};
} // namespace

static Conv makeConv(const cim_conv2d_shape &s) {
  using Memory = dnnl::memory;
  using Tag = Memory::format_tag;
  auto describe = [](const Memory::dims &dims, Tag tag) {
    return Memory::desc(dims, Memory::data_type::f32, tag);
  };
  int64_t c = s.c / s.groups, f = s.f / s.groups;
  Memory::dims input = {s.n, s.c, s.h, s.w}, output = {s.n, s.f, s.oh, s.ow};
  Memory::dims filter = {s.f, s.c, s.kh, s.kw};
  if (s.groups != 1)
    filter = {s.groups, f, c, s.kh, s.kw};
  // The output map may be smaller than what the input allows: oneDNN takes the
  // difference as negative padding on the right.
  auto right = [](int64_t in, int64_t out, int64_t kernel, int64_t stride,
                  int64_t dilation) {
    return (out - 1) * stride + (kernel - 1) * dilation + 1 - in;
  };
  dnnl::post_ops sum;
  sum.append_sum();
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(sum);
  // In plain layouts oneDNN unrolls every window into memory first; layouts of
  // its own choice are faster, copies included.
  dnnl::convolution_forward::desc desc(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      describe(input, Tag::any), describe(filter, Tag::any),
      describe(output, Tag::any), {s.stride_h, s.stride_w},
      {s.dilation_h - 1, s.dilation_w - 1}, {0, 0},
      {right(s.h, s.oh, s.kh, s.stride_h, s.dilation_h),
       right(s.w, s.ow, s.kw, s.stride_w, s.dilation_w)});
  dnnl::convolution_forward::primitive_desc chosen(desc, attributes, engine());
  Tag filterTag = s.groups == 1 ? Tag::oihw : Tag::goihw;
  return {{describe(input, Tag::nchw), chosen.src_desc()},
          {describe(filter, filterTag), chosen.weights_desc()},
          {describe(output, Tag::nchw), chosen.dst_desc()},
          dnnl::convolution_forward(chosen)};
}

cim_status cim::rt::addConv2D(const cim_conv2d_shape &shape, const float *input,
                              const float *filter, float *output) {
  using Key = std::array<int32_t, 14>;
  static_assert(sizeof(Key) == sizeof(cim_conv2d_shape));
  static thread_local std::map<Key, Conv> cache;
  // Layers take turns: memory of their own would be that of all feature maps.
  static thread_local Scratch inputs, filters, outputs;
  try {
    Key key;
    memcpy(key.data(), &shape, sizeof key);
    auto it = cache.find(key);
    if (it == cache.end())
      it = cache.emplace(key, makeConv(shape)).first;
    Conv &conv = it->second;
    conv.input.setData(const_cast<float *>(input), inputs);
    conv.filter.setData(const_cast<float *>(filter), filters);
    conv.output.setData(output, outputs);
    dnnl::stream stream(engine());
    for (Operand *operand : {&conv.input, &conv.filter, &conv.output})
      if (operand->isCopied())
        operand->bring.execute(stream, operand->outer, operand->inner);
    conv.primitive.execute(stream, {{DNNL_ARG_SRC, conv.input.inner},
                                    {DNNL_ARG_WEIGHTS, conv.filter.inner},
                                    {DNNL_ARG_DST, conv.output.inner}});
    if (conv.output.isCopied())
      conv.output.takeBack.execute(stream, conv.output.inner,
                                   conv.output.outer);
    stream.wait();
    return CIM_OK;
  } catch (const std::exception &e) {
    return fail(CIM_UNSUPPORTED,
                "convolution of %dx%dx%dx%d with %dx%dx%dx%d: %s", shape.n,
                shape.c, shape.h, shape.w, shape.f,
                shape.groups ? shape.c / shape.groups : 0, shape.kh, shape.kw,
                e.what());
  }
}

cim_status cim::rt::addMatmul(int64_t batch, int64_t m, int64_t n, int64_t k,
                              const float *a, const float *b, float *c) {
  for (int64_t i = 0; i < batch; ++i)
    if (dnnl_sgemm('N', 'N', m, n, k, 1.0f, a + i * m * k, k, b + i * k * n, n,
                   1.0f, c + i * m * n, n) != dnnl_success)
      return fail(CIM_UNSUPPORTED, "matrix product of %lldx%lld with %lldx%lld",
                  (long long)m, (long long)k, (long long)k, (long long)n);
  return CIM_OK;
}
