using System.ComponentModel.DataAnnotations;
using System.Net;
using JobHost.Hosting;
using JobHost.Server.Security;

namespace JobHost.Server;

/// <summary>The options of the HTTP side, in the same section <c>JobHost</c>. Defaults in the members.</summary>
public sealed class ServerOptions
{
    /// <summary>The path below which a reverse proxy publishes the service, such as <c>/jobs</c>. Default: none.</summary>
    [RegularExpression("^(/[A-Za-z0-9._~-]+)+$", ErrorMessage = "PathBase must look like '/jobs'.")]
    public string? PathBase { get; set; }

    public ProxyOptions Proxy { get; set; } = new();

    public SecurityOptions Security { get; set; } = new();

    public HttpOptions Http { get; set; } = new();

    /// <exception cref="JobConfigurationException">A value is not valid.</exception>
    public static ServerOptions Bind(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var options = new ServerOptions();
        try
        {
            configuration.GetSection(JobHostOptions.Section).Bind(options);
        }
        catch (InvalidOperationException problem)
        {
            throw new JobConfigurationException(
                $"{problem.Message} {problem.InnerException?.Message}".TrimEnd(),
                problem
            );
        }
        OptionsValidation.Validate(options, JobHostOptions.Section);
        if (configuration.GetValue<bool>("FORWARDEDHEADERS_ENABLED"))
        {
            throw new JobConfigurationException(
                "ASPNETCORE_FORWARDEDHEADERS_ENABLED trusts forwarded headers from anybody. Remove it and set JobHost:Proxy:KnownNetworks to the proxy's network."
            );
        }
        _ = options.Proxy.Networks;
        return options;
    }
}

/// <summary>Which reverse proxies are believed.</summary>
public sealed class ProxyOptions
{
    /// <summary>Networks such as <c>10.1.0.0/16</c> whose <c>X-Forwarded-*</c> headers are believed. Default: none.</summary>
    public List<string> KnownNetworks { get; set; } = [];

    /// <exception cref="JobConfigurationException">A network cannot be read.</exception>
    internal IReadOnlyList<IPNetwork> Networks =>
        [
            .. KnownNetworks.Select(text =>
                IPNetwork.TryParse(text, out var network)
                    ? network
                    : throw new JobConfigurationException(
                        $"JobHost:Proxy:KnownNetworks: '{text}' is no network such as 10.1.0.0/16."
                    )
            ),
        ];
}

/// <summary>Who may use the service.</summary>
public sealed class SecurityOptions
{
    /// <summary>
    /// Allows the service to listen on addresses other than loopback although nobody has to show a key: whoever can reach
    /// the address can then start and kill every job. Default false.
    /// </summary>
    public bool AllowAnonymous { get; set; }

    /// <summary>Keys, besides those that <c>jobhost keys</c> makes. Where there is any, everybody has to show one.</summary>
    public List<ApiKey> Keys { get; set; } = [];
}

/// <summary>Limits of requests.</summary>
public sealed class HttpOptions
{
    /// <summary>The largest body of a request. Default 64 KiB.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxRequestBodyBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// The largest parameters of a start, which may be larger than other bodies: they go to a file as they come and are never
    /// held in memory. Default: as large as <see cref="MaxRequestBodyBytes"/> lets through.
    /// </summary>
    [Range(0, 1024 * 1024 * 1024)]
    public int MaxParametersBytes { get; set; }

    /// <summary>How long a reader of a stream may take nothing of it before it is cut off. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan SlowReaderTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How many requests a second one key, or one address where nobody has to show a key, may send on and on; ten seconds' worth
    /// may come at once. Default 0: no limit.
    /// </summary>
    [Range(0, 1_000_000)]
    public int RequestsPerSecond { get; set; }

    /// <summary>
    /// The host names that requests may name. Default: loopback names where the service listens on loopback only, else any.
    /// A page of another site cannot reach the service through a name of its own, then.
    /// </summary>
    public List<string> AllowedHosts { get; set; } = [];
}
