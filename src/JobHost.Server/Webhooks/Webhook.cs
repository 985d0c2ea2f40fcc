using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Storage;

namespace JobHost.Server.Webhooks;

/// <summary>A webhook whose configuration was checked. A class, so that nothing prints its secret.</summary>
internal sealed partial class Webhook
{
    private const string Section = "JobHost:Webhooks";
    private const string AllOf = ".*";
    private const int MinSecret = 16;
    private const int MaxAttempts = 20;

    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(5);

    private Webhook(WebhookConfig config, Uri url)
    {
        Name = config.Name!;
        Url = url;
        Secret = Encoding.UTF8.GetBytes(config.Secret!);
        Events = config.Events;
        Jobs = config.Jobs;
        AllowPrivateNetworks = config.AllowPrivateNetworks;
        Retry = new()
        {
            MaxAttempts = config.MaxAttempts,
            InitialDelay = config.InitialDelay,
            MaxDelay = LongestDelay,
        };
    }

    internal string Name { get; }

    /// <summary>Its path may be a secret, too: nothing but <see cref="Origin"/> is shown.</summary>
    internal Uri Url { get; }

    internal string Origin => Url.GetLeftPart(UriPartial.Authority);

    internal byte[] Secret { get; }

    internal IReadOnlyList<string> Events { get; }

    internal IReadOnlyList<string> Jobs { get; }

    internal bool AllowPrivateNetworks { get; }

    internal RetryPolicy Retry { get; }

    /// <summary>Which events to read for it; some of them it may not want.</summary>
    internal EventQuery Query => new() { Jobs = Jobs.Count == 0 ? null : Jobs };

    internal bool Wants(RecordedEvent recorded) =>
        Events.Count == 0
        || Events.Any(wanted =>
            wanted.EndsWith(AllOf, StringComparison.Ordinal)
                ? recorded.Type.StartsWith(wanted[..^1], StringComparison.Ordinal)
                : recorded.Type == wanted
        );

    /// <summary>All webhooks of a configuration.</summary>
    /// <exception cref="JobConfigurationException">One is not valid; the message says what to change, and no secret.</exception>
    internal static IReadOnlyList<Webhook> ReadAll(IConfiguration configuration)
    {
        var hooks = new List<Webhook>();
        foreach (var section in configuration.GetSection(Section).GetChildren())
        {
            var config = new WebhookConfig();
            try
            {
                // A misspelt key is refused: a filter that is not applied would tell strangers of every run.
                section.Bind(config, binder => binder.ErrorOnUnknownConfiguration = true);
            }
            catch (InvalidOperationException problem)
            {
                throw new JobConfigurationException($"{section.Path}: {problem.Message}", problem);
            }
            if (Problem(config, out var url) is { } wrong)
            {
                throw new JobConfigurationException($"{section.Path}: {wrong}");
            }
            if (hooks.Exists(other => other.Name == config.Name))
            {
                throw new JobConfigurationException($"{section.Path}: two webhooks are called '{config.Name}'.");
            }
            hooks.Add(new(config, url!));
        }
        return hooks;
    }

    /// <exception cref="JobConfigurationException">It names a job that there is not.</exception>
    internal void Check(JobCatalog catalog)
    {
        if (Jobs.FirstOrDefault(job => catalog.Find(job) is null) is { } unknown)
        {
            throw new JobConfigurationException($"{Section}: webhook '{Name}': Jobs: no job is called '{unknown}'.");
        }
    }

    private static string? Problem(WebhookConfig config, out Uri? url)
    {
        if (!Uri.TryCreate(config.Url, UriKind.Absolute, out url))
        {
            return "Url must be an address such as 'https://example.org/hook'.";
        }
        return config.Name is null || !NameForm().IsMatch(config.Name)
                ? "Name must be 1 to 63 lower-case letters, digits and '. _ -', beginning with a letter or digit."
            : url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps
                ? "Url must begin with https:// or http://."
            : url.UserInfo.Length > 0 ? "Url must not contain a user or a password; the receiver checks the signature."
            : url.Fragment.Length > 0 ? "Url must not contain a '#'."
            : !config.AllowPrivateNetworks
            && IPAddress.TryParse(url.IdnHost, out var address)
            && !PublicAddresses.Contains(address)
                ? $"Url names {address}, which is not of the public internet. Set AllowPrivateNetworks to true where that is meant."
            : config.Secret is not { Length: >= MinSecret } ? $"Secret must have at least {MinSecret} characters."
            : config.Events.Find(wanted => !IsType(wanted)) is { } unknown
                ? $"Events: there is no event '{unknown}'. There are {string.Join(", ", RecordedEvent.Types.Order())}, and 'run.*', 'job.*', 'node.*'."
            : config.MaxAttempts is < 1 or > MaxAttempts ? $"MaxAttempts must be 1 to {MaxAttempts}."
            : config.InitialDelay <= TimeSpan.Zero || config.InitialDelay > LongestDelay
                ? $"InitialDelay must be more than 0 and at most {LongestDelay}."
            : null;
    }

    private static bool IsType(string wanted) =>
        RecordedEvent.Types.Contains(wanted)
        || (
            wanted.EndsWith(AllOf, StringComparison.Ordinal)
            && RecordedEvent.Types.Any(type => type.StartsWith(wanted[..^1], StringComparison.Ordinal))
        );

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{0,62}\\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NameForm();
}
