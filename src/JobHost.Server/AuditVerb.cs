using JobHost.Hosting;
using JobHost.Server.Http;

namespace JobHost.Server;

/// <summary>The verb <c>audit verify</c>: tells whether the audit is as it was recorded.</summary>
internal static class AuditVerb
{
    internal const string Name = "audit";
    internal const string Verify = "verify";

    private const int ExitAltered = 1;

    internal static async Task<int> VerifyAsync(string[] settings)
    {
        var builder = WebApplication.CreateBuilder(settings);
        builder.AddConfigFile();
        var verdict = AuditVerifier.Verify(builder.Configuration);
        if (verdict.Problem is { } problem)
        {
            await Console.Out.WriteLineAsync(
                $"ALTERED: {problem}. The {verdict.Count} entries before it are as they were recorded."
            );
            return ExitAltered;
        }
        await Console.Out.WriteLineAsync($"{verdict.Count} entries are as they were recorded.");
        await Console.Out.WriteLineAsync(
            $"Head: {verdict.Head} (kept elsewhere, it tells later whether newer entries were cut off)"
        );
        return 0;
    }
}
