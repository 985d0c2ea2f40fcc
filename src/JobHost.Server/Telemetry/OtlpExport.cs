using JobHost.Telemetry;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace JobHost.Server.Telemetry;

/// <summary>
/// Sends spans and metrics to a collector by OTLP, where one is named: <c>JobHost:Telemetry:Otlp:Endpoint</c> or the variable
/// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>. The other variables of OpenTelemetry hold as its SDK knows them. Where none is named, no
/// code of OpenTelemetry is even loaded.
/// </summary>
internal sealed class OtlpExport : IDisposable
{
    private const string EndpointKey = "JobHost:Telemetry:Otlp:Endpoint";
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string ProtocolVariable = "OTEL_EXPORTER_OTLP_PROTOCOL";

    private readonly TracerProvider? traces;
    private readonly MeterProvider? metrics;

    private OtlpExport(IConfiguration settings)
    {
        traces = Exports(settings, "TRACES") ? Traces(settings) : null;
        metrics = Exports(settings, "METRICS") ? Metrics(settings) : null;
    }

    /// <summary>Begins to export, or does nothing where no collector is named.</summary>
    /// <returns>What sends the rest when it is disposed; null where nothing is exported.</returns>
    /// <exception cref="JobConfigurationException">The endpoint is no address.</exception>
    internal static IDisposable? Begin(IConfiguration configuration)
    {
        var own = configuration[EndpointKey];
        var endpoint = string.IsNullOrWhiteSpace(own) ? configuration[EndpointVariable] : own;
        if (string.IsNullOrWhiteSpace(endpoint) || configuration.GetValue("OTEL_SDK_DISABLED", defaultValue: false))
        {
            return null;
        }
        if (
            !Uri.TryCreate(endpoint, UriKind.Absolute, out var address)
            || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps)
        )
        {
            throw new JobConfigurationException(
                $"{(string.IsNullOrWhiteSpace(own) ? EndpointVariable : EndpointKey)}: it must be an address such as 'http://127.0.0.1:4318'."
            );
        }
        return Start(configuration, endpoint);
    }

    public void Dispose()
    {
        traces?.Dispose();
        metrics?.Dispose();
    }

    // A method of its own, so that nothing of OpenTelemetry is loaded before it is called.
    private static OtlpExport Start(IConfiguration configuration, string endpoint) =>
        new(
            new ConfigurationBuilder()
                .AddConfiguration(configuration)
                .AddInMemoryCollection([
                    new(EndpointVariable, endpoint),
                    // As the specification wants it; the SDK's own default is gRPC.
                    new(ProtocolVariable, configuration[ProtocolVariable] ?? "http/protobuf"),
                ])
                .Build()
        );

    private static bool Exports(IConfiguration settings, string signal) =>
        !string.Equals(settings[$"OTEL_{signal}_EXPORTER"], "none", StringComparison.OrdinalIgnoreCase);

    private static TracerProvider Traces(IConfiguration settings) =>
        Sdk.CreateTracerProviderBuilder()
            .ConfigureServices(services => services.AddSingleton(settings))
            .SetResourceBuilder(Resource())
            // The request that starts a run is the parent of its spans.
            .AddSource(JobHostMeter.Name, "Microsoft.AspNetCore")
            .AddOtlpExporter()
            .Build();

    private static MeterProvider Metrics(IConfiguration settings) =>
        Sdk.CreateMeterProviderBuilder()
            .ConfigureServices(services => services.AddSingleton(settings))
            .SetResourceBuilder(Resource())
            .AddMeter(JobHostMeter.Name, "System.Runtime", "Microsoft.AspNetCore.Hosting")
            .AddOtlpExporter()
            .Build();

    // The variables come last, and win.
    private static ResourceBuilder Resource() =>
        ResourceBuilder
            .CreateEmpty()
            .AddTelemetrySdk()
            .AddService("jobhost", serviceVersion: JobHostMeter.Version)
            .AddEnvironmentVariableDetector();
}
