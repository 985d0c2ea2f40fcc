using System.Globalization;
using JobHost.Server.Http;
using JobHost.Server.Security;

namespace JobHost.Server;

/// <summary>The verb <c>keys</c>: makes, lists and revokes keys, also while a server uses them.</summary>
internal static class KeysVerb
{
    internal const string Name = "keys";

    private const int ExitUsage = 64;
    internal const string Usage = """
        jobhost keys create NAME ROLE [--expires DAYS] [--jobs JOB,JOB]
        jobhost keys list
        jobhost keys revoke NAME

        ROLE is viewer (may look), operator (may also start and cancel),
        killer (may also use force) or admin (everything).
        Settings such as --JobHost:DataDirectory=/var/lib/jobhost may follow.
        """;

    internal static async Task<int> RunAsync(string[] args)
    {
        var words = args.TakeWhile(word => !word.StartsWith("--", StringComparison.Ordinal)).ToArray();
        var builder = Listening.CreateBuilder(args[words.Length..]);
        builder.AddConfigFile();
        var file = Access.FileOf(builder.Configuration);
        var configured = ServerOptions.Bind(builder.Configuration).Security.Keys;
        switch (words)
        {
            case ["create", var name, var role] when Enum.TryParse<Role>(role, ignoreCase: true, out var parsed):
                return await CreateAsync(file, configured, name, parsed, builder.Configuration);
            case ["list"]:
                await ListAsync([.. configured, .. file.Read()]);
                return 0;
            case ["revoke", var name]:
                return await RevokeAsync(file, name);
            default:
                await Console.Error.WriteLineAsync(Usage);
                return ExitUsage;
        }
    }

    private static async Task<int> CreateAsync(
        KeyFile file,
        IReadOnlyList<ApiKey> configured,
        string name,
        Role role,
        ConfigurationManager options
    )
    {
        var secret = ApiKey.NewSecret();
        var key = new ApiKey
        {
            Name = name,
            Hash = ApiKey.HashOf(secret),
            Role = role,
            ExpiresAt = Days(options["expires"]) is { } days ? TimeProvider.System.GetUtcNow().AddDays(days) : null,
            Jobs = options["jobs"]
                ?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .ToList(),
        };
        List<ApiKey> keys = [.. file.Read(), key];
        KeyRing.Checked(configured, keys);
        file.Write(keys);
        await Console.Out.WriteLineAsync(secret);
        await Console.Error.WriteLineAsync(
            $"The key of '{name}', {Describe(key)}. It is shown this once; only its hash is kept."
        );
        return 0;
    }

    private static async Task ListAsync(IReadOnlyList<ApiKey> keys)
    {
        foreach (var key in keys)
        {
            await Console.Out.WriteLineAsync($"{key.Name, -24} {Describe(key)}");
        }
    }

    private static async Task<int> RevokeAsync(KeyFile file, string name)
    {
        var keys = file.Read();
        var left = keys.Where(key => key.Name != name).ToList();
        if (left.Count == keys.Count)
        {
            throw new JobConfigurationException(
                $"There is no key '{name}' in the data directory; one of the configuration is removed there."
            );
        }
        file.Write(left);
        await Console.Out.WriteLineAsync($"The key of '{name}' is revoked; a server that runs refuses it from now on.");
        return 0;
    }

    private static double? Days(string? text) =>
        text is null ? null
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var days)
        && days is > 0 and <= 36_500
            ? days
        : throw new JobConfigurationException("--expires is a number of days, above 0 and at most 36500.");

    private static string Describe(ApiKey key) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{key.Role.ToString().ToLowerInvariant()}{(key.ExpiresAt is { } end ? $", until {end:u}" : "")}{(key.Jobs is { Count: > 0 } jobs ? $", for {string.Join(", ", jobs)} only" : "")}"
        );
}
