export { type VirtualClock, virtualClock } from "./virtual-clock.ts";
export {
  type PushResult,
  type TestPipeline,
  testPipeline,
  type TestPipelineOptions,
} from "./test-pipeline.ts";
export {
  type DefineTest,
  describeProducer,
  type ProducerFeatures,
  type ProducerHarness,
  type ProducerSuite,
} from "./describe-producer.ts";
