public import ArgumentParser
public import URLPipeline

extension ModelPrecision: ExpressibleByArgument {}
