using JobHost.Hosting;
using JobHost.Server.Http;
using JobHost.Storage;

namespace JobHost.Server;

/// <summary>The verb <c>audit verify</c>: tells whether the audit is as it was recorded.</summary>
internal static class AuditVerb
{
    internal const string Name = "audit";
    internal const string Verify = "verify";

    private const int ExitAltered = 1;

    internal static async Task<int> VerifyAsync(string[] settings)
    {
        var builder = Listening.CreateBuilder(settings);
        builder.AddConfigFile();
        AuditLink? known = null;
        if (builder.Configuration["known"] is { } text && (known = AuditLink.Parse(text)) is null)
        {
            throw new JobConfigurationException(
                "--known takes NUMBER:HASH, as the service's log and this verb tell it."
            );
        }
        var verdict = AuditVerifier.Verify(builder.Configuration, known);
        if (verdict.Problem is { } problem)
        {
            await Console.Out.WriteLineAsync(
                $"ALTERED: {problem}. The {verdict.Count} entries before it are as they were recorded."
            );
            return ExitAltered;
        }
        await Console.Out.WriteLineAsync($"{verdict.Count} entries are as they were recorded.");
        await Console.Out.WriteLineAsync(
            $"Head: {new AuditLink(verdict.Count, verdict.Head)} (given later as --known, it tells whether entries were cut off)"
        );
        return 0;
    }
}
