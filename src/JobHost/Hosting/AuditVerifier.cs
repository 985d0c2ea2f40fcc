using JobHost.Storage;
using JobHost.Storage.Postgres;
using JobHost.Storage.Sqlite;
using Microsoft.Extensions.Configuration;

namespace JobHost.Hosting;

/// <summary>Tells whether the audit of a data directory is as it was recorded.</summary>
public static class AuditVerifier
{
    /// <summary>Looks through the whole audit, also while a server uses it.</summary>
    /// <param name="configuration">The service's configuration; of it only where the data is matters.</param>
    /// <param name="known">An entry that has to be there still, as the service's log named it; or null.</param>
    /// <exception cref="JobConfigurationException">There is no data, or an option is not valid.</exception>
    public static AuditVerdict Verify(IConfiguration configuration, AuditLink? known = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var options = ServiceCollectionExtensions.Bind(configuration.GetSection(JobHostOptions.Section));
        return options.Storage == JobHostOptions.Postgres
            ? PostgresRunStore.VerifyAudit(ServiceCollectionExtensions.ConnectionString(configuration), known)
            : SqliteRunStore.VerifyAudit(options.DataDirectory, known);
    }
}
