using System.Net;

namespace JobHost.Server.Http;

/// <summary>Where the service listens, and where it refuses to.</summary>
internal static class Listening
{
    private const string DefaultUrl = "http://127.0.0.1:5080";

    // A line of a header ends with both characters. Where only one counts, a proxy may see other headers than we do.
    private const string OnlyWholeLineEnds = "Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators";

    /// <summary>What a server that is a program of its own may assume, below all that anybody says.</summary>
    internal static void AddDefaults(this WebApplicationBuilder builder) =>
        ((IConfigurationBuilder)builder.Configuration).Sources.Insert(
            0,
            new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource
            {
                InitialData = [new("JobHost:Kill:AdoptOrphans", "true"), new("JobHost:Shielded", "true")],
            }
        );

    /// <summary>
    /// A builder with the usual configuration, read once: to be told of a change, each write below the content root would be
    /// watched, also those of the data directory in it.
    /// </summary>
    internal static WebApplicationBuilder CreateBuilder(string[] args) =>
        WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false", .. args]);

    /// <summary>Adds the JSON file that <c>JobHost:ConfigFile</c> names, below the environment and the command line.</summary>
    /// <exception cref="JobConfigurationException">The file is missing or no JSON.</exception>
    internal static void AddConfigFile(this WebApplicationBuilder builder)
    {
        if (builder.Configuration["JobHost:ConfigFile"] is not { Length: > 0 } file)
        {
            return;
        }
        var path = Path.GetFullPath(file);
        if (!File.Exists(path))
        {
            throw new JobConfigurationException($"JobHost:ConfigFile: there is no file '{path}'.");
        }
        var source = new Microsoft.Extensions.Configuration.Json.JsonConfigurationSource
        {
            Path = path,
            Optional = false,
            ReloadOnChange = false,
        };
        source.ResolveFileProvider();
        try
        {
            // Below what the environment and the command line say, above appsettings.json.
            var sources = ((IConfigurationBuilder)builder.Configuration).Sources;
            var position = 0;
            for (var i = 0; i < sources.Count; i++)
            {
                position =
                    sources[i] is Microsoft.Extensions.Configuration.Json.JsonConfigurationSource ? i + 1 : position;
            }
            sources.Insert(position, source);
        }
        catch (InvalidDataException problem)
        {
            throw new JobConfigurationException(
                $"JobHost:ConfigFile: '{path}' cannot be read: {problem.InnerException?.Message}",
                problem
            );
        }
    }

    /// <summary>Sets Kestrel's limits and address.</summary>
    /// <exception cref="JobConfigurationException">The address is open to others and nobody would have to show a key.</exception>
    internal static void ConfigureListening(this WebApplicationBuilder builder, ServerOptions options, bool hasKeys)
    {
        AppContext.SetSwitch(OnlyWholeLineEnds, isEnabled: true);
        var configuration = builder.Configuration;
        var urls = Urls(configuration);
        if (urls.Count == 0)
        {
            builder.WebHost.UseUrls(DefaultUrl);
        }
        if (urls.FirstOrDefault(url => !IsLoopback(url)) is { } open && !options.Security.AllowAnonymous && !hasKeys)
        {
            throw new JobConfigurationException(
                $"'{open}' can be reached from other machines, and no key is configured: anybody could start and kill jobs. "
                    + "Make one with 'jobhost keys create', listen on 127.0.0.1, or set JobHost:Security:AllowAnonymous=true where a proxy or firewall decides who gets through."
            );
        }
        if (options.Http.AllowedHosts.Count == 0 && urls.All(IsLoopback))
        {
            options.Http.AllowedHosts.AddRange(["localhost", "127.0.0.1", "[::1]"]);
        }
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.Http.MaxRequestBodyBytes;
        });
    }

    private static List<string> Urls(ConfigurationManager configuration)
    {
        var urls = new List<string>();
        foreach (var key in new[] { "urls", "URLS" })
        {
            urls.AddRange(
                (configuration[key] ?? "").Split(
                    ';',
                    StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
                )
            );
        }
        foreach (var key in new[] { "HTTP_PORTS", "HTTPS_PORTS" })
        {
            urls.AddRange(
                (configuration[key] ?? "")
                    .Split(';', StringSplitOptions.RemoveEmptyEntries)
                    .Select(port => $"http://*:{port}")
            );
        }
        urls.AddRange(
            configuration
                .GetSection("Kestrel:Endpoints")
                .GetChildren()
                .Select(endpoint => endpoint["Url"] ?? "")
                .Where(url => url.Length > 0)
        );
        return urls;
    }

    private static bool IsLoopback(string url)
    {
        if (url.StartsWith("http://unix:", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }
        var host = BindingAddress.Parse(url).Host;
        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
    }
}
