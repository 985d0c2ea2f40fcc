using System.Globalization;
using JobHost.Hosting;
using JobHost.Jobs;
using Serilog;
using Serilog.Events;

namespace JobHost.Server.Logging;

/// <summary>
/// Serilog, structured. The section <c>Serilog</c> decides all where it names sinks; else the console and a rolling file
/// below the data directory are written.
/// </summary>
internal static class ServerLogging
{
    private const string Template =
        "{Timestamp:yyyy-MM-dd HH:mm:ss.fff zzz} [{Level:u3}] {Message:lj} {Properties:j}{NewLine}{Problem:l}";

    internal static void AddServerLogging(this WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        var logger = new LoggerConfiguration()
            .MinimumLevel.Information()
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("Microsoft.Hosting.Lifetime", LogEventLevel.Information)
            .Enrich.FromLogContext()
            // The main method says it in one line; the host would add its stack.
            .Filter.ByExcluding(entry => entry.Exception is JobConfigurationException)
            .ReadFrom.Configuration(configuration)
            // Last, so that nothing comes after it.
            .Enrich.With(new PlainText(Secrets.Read(configuration)));
        if (!configuration.GetSection("Serilog:WriteTo").Exists())
        {
            var folder = configuration.GetValue("JobHost:DataDirectory", new JobHostOptions().DataDirectory)!;
            // On a thread of their own: nobody who is answered waits for the disk or for whoever reads the console, and where that
            // stands still, what it cannot take is dropped instead of the service standing still, too.
            logger.WriteTo.Async(sinks =>
            {
                sinks.Console(
                    outputTemplate: "{Timestamp:HH:mm:ss.fff} [{Level:u3}] {Message:lj}{NewLine}{Problem:l}",
                    formatProvider: CultureInfo.InvariantCulture
                );
                sinks.File(
                    Path.Combine(folder, "logs", "jobhost-.log"),
                    outputTemplate: Template,
                    formatProvider: CultureInfo.InvariantCulture,
                    rollingInterval: RollingInterval.Day,
                    fileSizeLimitBytes: 100 * 1024 * 1024,
                    rollOnFileSizeLimit: true,
                    retainedFileCountLimit: 14
                );
            });
        }
        builder.Logging.ClearProviders().AddSerilog(logger.CreateLogger(), dispose: true);
    }
}
