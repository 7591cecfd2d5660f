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
struct Conv {
  dnnl::memory input, filter, output;
  dnnl::convolution_forward primitive;
};
} // namespace

static Conv makeConv(const cim_conv2d_shape &s) {
  using Memory = dnnl::memory;
  using Tag = Memory::format_tag;
  auto describe = [](Memory::dims dims, Tag tag) {
    return Memory::desc(dims, Memory::data_type::f32, tag);
  };
  auto input = describe({s.n, s.c, s.h, s.w}, Tag::nchw);
  auto output = describe({s.n, s.f, s.oh, s.ow}, Tag::nchw);
  int64_t c = s.c / s.groups, f = s.f / s.groups;
  auto filter = s.groups == 1
                    ? describe({s.f, s.c, s.kh, s.kw}, Tag::oihw)
                    : describe({s.groups, f, c, s.kh, s.kw}, Tag::goihw);
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
  dnnl::convolution_forward::desc desc(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      input, filter, output, {s.stride_h, s.stride_w},
      {s.dilation_h - 1, s.dilation_w - 1}, {0, 0},
      {right(s.h, s.oh, s.kh, s.stride_h, s.dilation_h),
       right(s.w, s.ow, s.kw, s.stride_w, s.dilation_w)});
  dnnl::convolution_forward::primitive_desc chosen(desc, attributes, engine());
  return {Memory(input, engine(), nullptr), Memory(filter, engine(), nullptr),
          Memory(output, engine(), nullptr), dnnl::convolution_forward(chosen)};
}

cim_status cim::rt::addConv2D(const cim_conv2d_shape &shape, const float *input,
                              const float *filter, float *output) {
  using Key = std::array<int32_t, 14>;
  static_assert(sizeof(Key) == sizeof(cim_conv2d_shape));
  static thread_local std::map<Key, Conv> cache;
  try {
    Key key;
    memcpy(key.data(), &shape, sizeof key);
    auto it = cache.find(key);
    if (it == cache.end())
      it = cache.emplace(key, makeConv(shape)).first;
    Conv &conv = it->second;
    conv.input.set_data_handle(const_cast<float *>(input));
    conv.filter.set_data_handle(const_cast<float *>(filter));
    conv.output.set_data_handle(output);
    dnnl::stream stream(engine());
    conv.primitive.execute(stream, {{DNNL_ARG_SRC, conv.input},
                                    {DNNL_ARG_WEIGHTS, conv.filter},
                                    {DNNL_ARG_DST, conv.output}});
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
