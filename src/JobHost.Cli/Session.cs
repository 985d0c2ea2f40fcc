using System.CommandLine;
using JobHost.Cli.Screens;
using JobHost.Client;

namespace JobHost.Cli;

/// <summary>What a verb works with: the server, and where it writes.</summary>
internal sealed class Session : IDisposable
{
    private const string DefaultUrl = "http://127.0.0.1:5080";
    private const string UrlVariable = "JOBHOST_URL";
    private const string KeyVariable = "JOBHOST_KEY";
    private static readonly TimeSpan ConnectBound = TimeSpan.FromSeconds(5);

    internal static readonly Option<string> Url = new("--url")
    {
        Description = $"Where the server is. Default: {UrlVariable}, else {DefaultUrl}",
        HelpName = "url",
        Recursive = true,
    };

    internal static readonly Option<string> Key = new("--key")
    {
        Description = $"The API key. Default: {KeyVariable}, which others on the machine do not see",
        HelpName = "key",
        Recursive = true,
    };

    internal static readonly Option<string> Output = OutputOption();

    private readonly HttpClient http;

    private Session(HttpClient http, Uri address, string? key, Screen screen, bool isJson)
    {
        this.http = http;
        Address = address;
        Screen = screen;
        IsJson = isJson;
        Client = new(
            http,
            new()
            {
                Address = address,
                ApiKey = key,
                MaxRetries = 2,
            }
        );
    }

    internal JobHostClient Client { get; }

    internal Uri Address { get; }

    internal Screen Screen { get; }

    /// <summary>Whether documents are wanted, and not words.</summary>
    internal bool IsJson { get; }

    /// <summary>The clock of all waits.</summary>
    internal static TimeProvider Time => TimeProvider.System;

    /// <exception cref="UsageException">The address is none.</exception>
    internal static Session Open(ParseResult parsed)
    {
        var text = Given(parsed.GetValue(Url), UrlVariable) ?? DefaultUrl;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            throw new UsageException($"'{text}' is no address of a server, such as {DefaultUrl}.");
        }
        var handler = new SocketsHttpHandler { ConnectTimeout = ConnectBound };
        return new(
            new HttpClient(handler),
            address,
            Given(parsed.GetValue(Key), KeyVariable),
            Screen.OfConsole(),
            parsed.GetValue(Output) == "json"
        );
    }

    public void Dispose() => http.Dispose();

    private static string? Given(string? option, string variable) =>
        option is { Length: > 0 } ? option
        : Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value
        : null;

    private static Option<string> OutputOption()
    {
        var option = new Option<string>("--output", "-o")
        {
            Description = "table (default) or json, one document a line",
            HelpName = "form",
            Recursive = true,
        };
        option.AcceptOnlyFromAmong("table", "json");
        return option;
    }
}
