from adapters.extras import require

require("aws", "boto3")
